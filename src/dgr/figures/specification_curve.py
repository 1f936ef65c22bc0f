"""M1: the effects of all specifications, sorted, above the options that each consists of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError
from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.style import PAGE_WIDTH, RC, REFERENCE_LINE, Drawing
from dgr.records.scope import Scope
from dgr.records.specification_effects import Effect, Result, specification_effects
from dgr.tables.shared.rendering import signed
from dgr.tables.shared.specification_texts import (
    RESULT_WORDS,
    arms_text,
    design_text,
    diverged_text,
    options_of,
    rule_text,
    words,
)

NAMES = ("M1",)
UPPER_PANELS = ("dgr_alone", "dgr_norm")
"""Questions, from left to right."""
RESULT_COLOURS: dict[Result, str] = {
    "above region": "#0072B2",
    "above zero": "#56B4E9",
    "equivalent": "#222222",
    "undecided": "#B0B0B0",
    "below zero": "#E69F00",
    "below region": "#D55E00",
}
REGION_COLOUR = "#E8EEDC"
UPPER_HEIGHT, ROW_HEIGHT = 2.3, 0.125
"""Inches: of the upper panels, and of an option."""
FAR = 3.0
"""Quartile ranges beyond the quartiles at which the panels end; effects farther out are triangles at the edge."""


class _Row(NamedTuple):
    """Where an option stands in the lower panels."""

    choice: str
    option: str
    y: float


def build(scope: Scope) -> Drawing:
    """One column of panels a question; specifications in which an arm diverged are left out and told of.

    Raises:
        DGRError: neither question is asked, every specification diverged, or as for
            :func:`dgr.records.specification_effects.specification_effects`.
    """
    every = specification_effects(scope)
    asked = [every[name] for name in UPPER_PANELS if name in every]
    shown = [sorted((effect for effect in own if effect.sides), key=lambda effect: effect.mean) for own in asked]
    if not shown or not all(shown):
        raise DGRError(
            f"{scope.name} shows DGR against no regularizer or the norm penalty, and no effect of one is left."
        )
    rows = _rows(scope)
    low, high = _limits(shown)
    with sns.axes_style("ticks", rc=RC), sns.plotting_context("paper", rc=RC):
        heights = (UPPER_HEIGHT, ROW_HEIGHT * (rows[-1].y + 1))
        figure = Figure(figsize=(PAGE_WIDTH, sum(heights) + 0.9), layout="constrained")
        axes = figure.subplots(2, len(shown), squeeze=False, sharey="row", height_ratios=heights)
        for column, effects in enumerate(shown):
            upper, lower = axes[:, column]
            upper.set_title(f"({'ab'[column]}) {effects[0].question.text}, n = {len(effects)}", loc="left")
            _draw_effects(upper, effects, low, high)
            _draw_options(lower, effects, rows)
        axes[0, 0].set(ylim=(low, high), ylabel="difference of test accuracy (points)")
        _label_options(axes[1, 0], rows)
        results = [name for name in RESULT_COLOURS if any(effect.result == name for own in shown for effect in own)]
        handles: list[Artist] = [
            Line2D([], [], color=colour, marker="o", markersize=3.5, linewidth=1, label=RESULT_WORDS[name])
            for name, colour in RESULT_COLOURS.items()
            if name in results
        ]
        handles.append(Patch(color=REGION_COLOUR, label="region"))
        fitted_legend(figure, handles, 4, loc="outside lower center", fontsize=7)
    return Drawing(figure, _caption(scope, asked, shown, low, high))


def _draw_effects(axis: Axes, effects: list[Effect], low: float, high: float) -> None:
    places, means = np.arange(len(effects)), _means(effects)
    colours = [RESULT_COLOURS[effect.result] for effect in effects]
    region = effects[0].region
    axis.axhspan(-region, region, color=REGION_COLOUR, linewidth=0, zorder=0)
    axis.axhline(0, zorder=1, **REFERENCE_LINE)
    ends = np.array([effect.interval for effect in effects])
    axis.vlines(places, ends[:, 0], ends[:, 1], colors=colours, linewidth=0.9, zorder=2)
    inside = (means >= low) & (means <= high)
    axis.scatter(places[inside], means[inside], s=8, c=[c for c, i in zip(colours, inside, strict=True) if i], zorder=3)
    for marker, edge, outside in (("v", low, means < low), ("^", high, means > high)):
        out = [c for c, is_out in zip(colours, outside, strict=True) if is_out]
        axis.scatter(
            places[outside], np.full(len(out), edge), s=16, marker=marker, c=out, clip_on=False, zorder=4, linewidth=0
        )
    axis.set(xticks=[], xlim=(-1, len(effects)))
    sns.despine(ax=axis, bottom=True)


def _draw_options(axis: Axes, effects: list[Effect], rows: list[_Row]) -> None:
    for choice, option, y in rows:
        own = [(x, effect) for x, effect in enumerate(effects) if effect.choices[choice] == option]
        axis.axhline(y, color="0.93", linewidth=0.5, zorder=0)
        colours = [RESULT_COLOURS[effect.result] for _, effect in own]
        axis.scatter([x for x, _ in own], [y] * len(own), s=22, marker="|", c=colours, linewidth=1.3, zorder=2)
    axis.set(xticks=[], xlim=(-1, len(effects)), xlabel="specifications, sorted by effect")
    axis.tick_params(left=False)
    sns.despine(ax=axis, left=True, bottom=True)


def _label_options(axis: Axes, rows: list[_Row]) -> None:
    """Options as labels of the axis, each choice in bold above its own; the first row on top."""
    headings = {row.choice: row.y - 1 for row in reversed(rows)}
    ticks = sorted(
        [(row.y, words(row.option), "normal") for row in rows] + [(y, words(c), "bold") for c, y in headings.items()]
    )
    axis.set_yticks([y for y, _, _ in ticks], [text for _, text, _ in ticks])
    for label, (_, _, weight) in zip(axis.get_yticklabels(), ticks, strict=True):
        label.set_fontweight(weight)
    axis.set_ylim(max(row.y for row in rows) + 0.8, -0.8)


def _rows(scope: Scope) -> list[_Row]:
    """Options from the top down, with room for a heading above each choice."""
    rows, y = [], 0.0
    for choice, options in options_of(scope).items():
        for place, option in enumerate(options, start=1):
            rows.append(_Row(choice, option, y + place))
        y += len(options) + 1.3
    return rows


def _limits(shown: list[list[Effect]]) -> tuple[float, float]:
    """Of the upper panels: what most effects and their intervals need, whatever a collapsed arm gives."""
    effects, region = [effect for own in shown for effect in own], shown[0][0].region
    means = _means(effects)
    first, third = np.quantile(means, [0.25, 0.75])
    reach = FAR * max(third - first, region)
    low, high = float(first) - reach, float(third) + reach
    near = [effect for effect in effects if low <= effect.mean <= high]
    ends = np.array([[*effect.interval, effect.mean, effect.mean] for effect in near])
    return (
        min(max(low, float(np.nanmin(ends))), -1.5 * region) - 0.1,
        max(min(high, float(np.nanmax(ends))), 1.5 * region) + 0.1,
    )


def _means(effects: list[Effect]) -> FloatArray:
    return np.array([effect.mean for effect in effects])


def _caption(scope: Scope, asked: list[list[Effect]], shown: list[list[Effect]], low: float, high: float) -> str:
    means = np.concatenate([_means(effects) for effects in shown])
    outside = means[(means < low) | (means > high)]
    titles = "; ".join(f"({letter}) {own[0].question.text}" for letter, own in zip("ab", shown, strict=False))
    texts = [
        f"Specification curve. Above: difference of test accuracy in points, treatment minus reference, one point a "
        f"specification, sorted in each column for itself, with its interval; below: the options that it consists of. "
        f"{titles}.",
        design_text(scope),
        arms_text(scope),
        rule_text(asked[0]),
    ]
    if len(outside):
        ends = " to ".join(dict.fromkeys(signed(float(end), 1) for end in (outside.min(), outside.max())))
        texts.append(f"Triangles at the edge: {len(outside)} effects farther out ({ends} points).")
    if lost := diverged_text([effect for own in asked for effect in own]):
        texts.append(f"Left out, because at every strength of an arm a training diverged: {lost}.")
    return " ".join(texts)
