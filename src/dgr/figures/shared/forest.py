"""A forest plot of claims: every effect on one axis, in units of its region, beside the verdicts of all suites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.style import PAGE_WIDTH, RC
from dgr.figures.shared.verdict_marks import VERDICT_COLOURS, VERDICT_SIGNS

REGION_SHADE = "#E4E9EE"
TICKS = (0, 1, 3, 10, 100)
FAR_SEEDS = 20.0
"""Seeds farther out than this many regions, and than all intervals, are counted at the edge."""
ROW, HEADING, HEAD, FOOT = 0.185, 0.24, 0.42, 0.88
"""Inches: a claim, a heading, the names of suites, and axis with legend."""
LABELS_SHARE, STRIP_COLUMN = 0.365, 0.036
"""Shares of the width: for labels, and for each suite's column."""


@dataclass(frozen=True)
class ForestRow:
    """A claim's test.

    Attributes:
        heading: under which rows stand together; rows of one heading follow each other.
        number: of the comparison, such as ``C2a``.
        label: what is compared.
        verdict: of the suite whose effect is drawn.
        verdicts: of each suite, in the order of the columns; None where it does not test this.
        home: the column of the suite whose effect is drawn.
        effect, low, high: estimate and interval in units of the region, to the right where they speak for the claim;
            None where there is no such test.
        seeds: differences by seed in the same unit.
        instead: what stands in the place of an effect.
    """

    heading: str
    number: str
    label: str
    verdict: str
    verdicts: Sequence[str | None]
    home: int
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: Sequence[float] = ()
    instead: str = ""


def forest_figure(rows: Sequence[ForestRow], columns: Sequence[str], size: float = 7.0) -> Figure:
    """Draw rows from the top down.

    Args:
        rows: where there are none, the figure says so.
        columns: names of the suites, as the rows' verdicts have them.
        size: of the labels' letters, in points.
    """
    if not rows:
        figure = Figure(figsize=(PAGE_WIDTH, 0.6))
        figure.text(0.5, 0.5, "No claim has been decided yet.", ha="center", va="center")
        return figure
    places = _places(rows)
    height = places[-1] + ROW * 0.75 + FOOT + HEAD
    with sns.axes_style("white", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = Figure(figsize=(PAGE_WIDTH, height))
        foot, top = FOOT / height, 1 - HEAD / height
        strip = STRIP_COLUMN * len(columns)
        span = {"bottom": foot, "height": top - foot}
        right = 1 - strip - 0.012
        axis = figure.add_axes((LABELS_SHARE, foot, right - LABELS_SHARE, top - foot))
        beside = figure.add_axes((right + 0.008, span["bottom"], strip, span["height"]), sharey=axis)
        _draw_effects(axis, rows, places)
        _draw_verdicts(beside, rows, places, columns)
        _label(axis, rows, places, size)
        axis.set_ylim(places[-1] + ROW * 0.75, 0)
        _legend(figure, rows, foot)
    return figure


def _places(rows: Sequence[ForestRow]) -> list[float]:
    """Inches below the top, with room for a heading where a new one begins."""
    places, y, heading = [], 0.0, None
    for row in rows:
        y += ROW + (HEADING if row.heading != heading else 0.0)
        heading = row.heading
        places.append(y)
    return places


def _draw_effects(axis: Axes, rows: Sequence[ForestRow], places: Sequence[float]) -> None:
    reach = _reach(rows)
    axis.set_xscale("symlog", linthresh=1.0, linscale=1.3)
    axis.axvspan(-1, 1, color=REGION_SHADE, linewidth=0, zorder=0)
    axis.axvline(0, color="0.35", linewidth=0.7, zorder=1)
    for row, y in zip(rows, places, strict=True):
        axis.axhline(y + ROW / 2, color="0.93", linewidth=0.5, zorder=0)
        if row.effect is None or row.low is None or row.high is None:
            axis.annotate(row.instead, (0.5, y), xycoords=("axes fraction", "data"), ha="center", va="center", size=6)
            continue
        colour = VERDICT_COLOURS[row.verdict]
        # One path for all seeds, with gaps: a page holds many rows.
        near = [seed for seed in row.seeds if abs(seed) <= reach]
        ticks, heights = np.repeat(np.asarray(near, dtype=float), 3), np.tile([y - 0.052, y + 0.052, np.nan], len(near))
        _count_outside(axis, row, y, reach)
        axis.plot(ticks, heights, color="0.25", linewidth=0.45, alpha=0.55, solid_capstyle="butt", zorder=2)
        axis.plot([row.low, row.high], [y, y], color=colour, linewidth=2.0, solid_capstyle="butt", zorder=3)
        axis.plot([row.effect], [y], color=colour, marker="o", markersize=4.2, linestyle="none", zorder=4)
    axis.set_xlim(-reach, reach)
    axis.xaxis.set_major_locator(FixedLocator([sign * tick for tick in TICKS for sign in (-1, 1) if tick <= reach]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value + 0.0:g}".replace("-", "−")))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.tick_params(axis="x", length=2, pad=1.5)
    axis.set_xlabel("← against the claim        difference ÷ region        for the claim →", labelpad=2)
    sns.despine(ax=axis, left=True)


def _reach(rows: Sequence[ForestRow]) -> float:
    ends = [abs(value) for row in rows for value in (row.low, row.high) if value is not None]
    seeds = [abs(seed) for row in rows for seed in row.seeds]
    return max([3.0, *ends, min(FAR_SEEDS, max(seeds, default=0.0))]) * 1.3


def _count_outside(axis: Axes, row: ForestRow, y: float, reach: float) -> None:
    left, right = (sum(sign * seed > reach for seed in row.seeds) for sign in (-1, 1))
    for count, place, side, text in ((left, 0, "left", "‹ {}"), (right, 1, "right", "{} ›")):
        if count:
            axis.annotate(
                text.format(count), (place, y), xycoords=("axes fraction", "data"), ha=side, va="center", size=6,
                color="0.2", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=5,
            )  # fmt: skip


def _draw_verdicts(axis: Axes, rows: Sequence[ForestRow], places: Sequence[float], columns: Sequence[str]) -> None:
    axis.set_xlim(0, len(columns))
    for row, y in zip(rows, places, strict=True):
        for column, verdict in enumerate(row.verdicts):
            if verdict is None:
                continue
            own = column == row.home
            box = Rectangle(
                (column + 0.06, y - 0.074), 0.88, 0.148, facecolor=VERDICT_COLOURS[verdict], linewidth=0.9 * own,
                edgecolor="black" if own else "none",
            )  # fmt: skip
            axis.add_patch(box)
            centred: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
            axis.text(column + 0.5, y, VERDICT_SIGNS[verdict], color="white", size=7.5, weight="bold", **centred)
    for column, name in enumerate(columns):
        axis.annotate(
            name, (column + 0.5, 1), (0, -13), xycoords=("data", "axes fraction"), textcoords="offset points",
            rotation=90, ha="center", va="bottom", size=7,
        )  # fmt: skip
    axis.axis("off")


def _label(axis: Axes, rows: Sequence[ForestRow], places: Sequence[float], size: float) -> None:
    axis.set_yticks(places, [row.number for row in rows], size=7, color="0.35")
    axis.tick_params(axis="y", length=0, pad=2)
    heading = None
    for row, y in zip(rows, places, strict=True):
        axis.annotate(
            row.label, (0, y), (-30, 0), xycoords=("axes fraction", "data"), textcoords="offset points", ha="right",
            va="center", size=size, annotation_clip=False, linespacing=0.95,
        )  # fmt: skip
        if row.heading != heading:
            heading = row.heading
            axis.annotate(
                heading, (0, y - ROW * 0.95), (-30, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", va="center", weight="bold", size=7.5, annotation_clip=False,
            )  # fmt: skip


def _legend(figure: Figure, rows: Sequence[ForestRow], foot: float) -> None:
    there = {verdict for row in rows for verdict in row.verdicts}
    handles: list[Artist] = [
        Line2D([], [], color=VERDICT_COLOURS[name], marker="s", linewidth=0, markersize=5.5, label=f"{sign}  {name}")
        for name, sign in VERDICT_SIGNS.items()
        if name in there
    ]
    lines: list[Artist] = [
        Line2D([], [], color="0.2", marker="o", markersize=4.2, linewidth=2, label="estimate and deciding interval"),
        Line2D([], [], color="0.25", marker="|", markersize=6, linewidth=0, label="a seed"),
        Patch(color=REGION_SHADE, label="region: too small to matter"),
    ]
    for entries, share in ((lines, 0.42), (handles, 0.16)):
        place: dict[str, Any] = {"loc": "center", "bbox_to_anchor": (0.5, foot * share)}
        fitted_legend(figure, entries, len(entries), **place, fontsize=7, handletextpad=0.4, columnspacing=1.4)
