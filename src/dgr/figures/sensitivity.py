"""F3: accuracy against DGR's settings, against the size of z, and how far the two estimators agree."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from dgr.figures.shared.accuracy_axis import accuracy_limits, finish_accuracy
from dgr.figures.shared.agreement_panel import HEADS, draw_agreement
from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.size_panel import draw_size
from dgr.figures.shared.style import COLOURS, CURVES, DASHES, MARKERS, PAGE_WIDTH, RC, SYMBOLS, Drawing
from dgr.records.names import Metric, method_label
from dgr.records.scope import Scope
from dgr.records.sweep_points import VALUE, Point, all_runs, plain_runs, sweep_metric, sweep_points

NAMES = ("F3",)


def build(scope: Scope) -> Drawing:
    """Six panels: strength, size of z, ε, N, and cosine and norm ratio of the two gradients along training.

    Raises:
        DGRError: there are no studies, a point is missing, or the tasks have different metrics.
    """
    metric, points = sweep_metric(scope), sweep_points(scope)
    plain = plain_runs(scope, points)
    level = None if plain is None else metric.scale * float(plain[VALUE].mean())
    runs = all_runs(scope)
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = Figure(figsize=(PAGE_WIDTH, 8.8), layout="constrained")
        axes: list[Axes] = list(figure.subplots(3, 2).flat)
        _draw_strength(axes[0], points, metric)
        draw_size(axes[1], points, runs, metric)
        _draw_epsilon(axes[2], points, metric)
        _draw_dummies(axes[3], points, metric)
        draw_agreement(axes[4], points, "cosine")
        draw_agreement(axes[5], points, "norm_ratio")
        low, high = accuracy_limits(points, runs, level, metric)
        for axis, letter in zip(axes, "abcdef", strict=True):
            axis.set_title(f"({letter}) {axis.get_title()}", loc="left")
            axis.set_title("")
            if not axis.has_data():
                axis.text(0.5, 0.5, "not studied", transform=axis.transAxes, ha="center", va="center", color="0.4")
                axis.set(xticks=[], yticks=[], ylabel="")
            elif letter in "abcd":
                finish_accuracy(axis, low, high, level if letter != "b" else None, metric)
        if handles := axes[4].get_legend_handles_labels()[0]:
            handles[0].set_label(f"e, f: {handles[0].get_label()}")
            fitted_legend(figure, handles, len(handles), loc="outside lower center", fontsize=6.5)
    return Drawing(figure, _caption(scope, points, metric, low))


def _draw_strength(axis: Axes, points: Sequence[Point], metric: Metric) -> None:
    symbols = []
    for name, what in CURVES.items():
        own = [point for point in points if point.regularizer == name and point.strength > 0]
        chosen = [point for point in own if point.is_usual()] if name == "dgr" else own
        if chosen:
            symbols.append(SYMBOLS[name])
            style = {"color": COLOURS[name], "dashes": DASHES[name], "marker": MARKERS[name]}
            runs = _runs(chosen, lambda point: point.strength, metric)
            draw_curve(axis, runs, f"{what}, against {SYMBOLS[name]}", style)
    axis.set(title="strength", xscale="log", xlabel=f"strength {' or '.join(dict.fromkeys(symbols))}".rstrip())


def _draw_epsilon(axis: Axes, points: Sequence[Point], metric: Metric) -> None:
    apart = ("estimator", "epsilon", "activation")
    chosen = [point for point in points if point.is_usual(apart_from=apart) and "estimator" in point.settings]
    sizes = sorted({point.get("epsilon") for point in chosen if point.get("estimator") == "finite_difference"})
    exact_place = min(sizes, default=1.0) / 10
    for activation, (label, marker, line) in HEADS.items():
        mine = [point for point in chosen if point.activation == activation]
        style = {"color": _head_colour(activation), "linestyle": line, "marker": marker}
        steps = [point for point in mine if point.get("estimator") == "finite_difference"]
        draw_curve(axis, _runs(steps, lambda point: point.get("epsilon"), metric), f"{label}, finite difference", style)
        exact = [point for point in mine if point.get("estimator") == "exact"]
        if exact:
            value = metric.scale * exact[0].runs[VALUE].mean()
            marks: dict[str, Any] = {"markersize": 7, "markeredgewidth": 1.2, "linestyle": "none", "clip_on": False}
            look: dict[str, Any] = {
                "marker": marker,
                "markerfacecolor": "none",
                "markeredgecolor": _head_colour(activation),
            }
            axis.plot([exact_place], [value], label=f"{label}, exact", **marks, **look)
    axis.set(title="finite-difference step", xscale="log", xlabel="ε")
    if not sizes:
        return
    axis.set_xticks([exact_place, *sizes], ["exact", *(f"{size:g}" for size in sizes)])
    axis.xaxis.set_minor_locator(NullLocator())


def _draw_dummies(axis: Axes, points: Sequence[Point], metric: Metric) -> None:
    axis.set(title="number of dummy sets", xlabel="N")
    several = [point for point in points if point.is_usual(apart_from=("num_dummies",))]
    strengths = sorted({point.strength for point in several if point.get("num_dummies") > 1})
    if not strengths:
        return
    axis.set(xscale="log")
    for strength, marker in zip(strengths, itertools.cycle("osD^v"), strict=False):
        chosen = [point for point in several if point.strength == strength]
        runs = _runs(chosen, lambda point: point.get("num_dummies"), metric)
        draw_curve(axis, runs, f"DGR, λ = {strength:g}", {"color": COLOURS["dgr"], "marker": marker})
    ticks = sorted({point.get("num_dummies") for point in several})
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])


def draw_curve(axis: Axes, runs: pd.DataFrame, label: str, style: dict[str, Any]) -> None:
    """A line through the means over seeds, and every run as a dot.

    Args:
        axis: where.
        runs: columns ``x`` and ``y``, one row a run.
        label: for the legend.
        style: of the line.
    """
    if runs.empty:
        return
    means = runs.groupby("x")["y"].mean()
    axis.scatter(runs["x"], runs["y"], s=6, color=style["color"], alpha=0.45, linewidth=0, zorder=2)
    axis.plot(means.index, means, label=label, linewidth=1.3, markersize=3.5, zorder=3, **style)


def _runs(points: Sequence[Point], x: Callable[[Point], float], metric: Metric) -> pd.DataFrame:
    frames = [pd.DataFrame({"x": x(point), "y": metric.scale * point.runs[VALUE]}) for point in points]
    return pd.concat(frames, ignore_index=True).drop_duplicates() if frames else pd.DataFrame({"x": [], "y": []})


def _head_colour(activation: str) -> str:
    return str(COLOURS["dgr"] if activation == "relu" else COLOURS["weight_decay"])


def _caption(scope: Scope, points: Sequence[Point], metric: Metric, low: float) -> str:
    seeds = len(points[0].runs)
    method = method_label(points[0].method)
    return (
        f"Data set {scope.dataset}, architecture {scope.encoder}: test {metric.label}, mean over tasks, last "
        "epoch. "
        f"Panels a, c to f: {method}, n = {seeds} seeds, each run a dot, lines through means; no test is made. "
        f"Values below {low:.0f} {metric.unit} are triangles at the edge, with the mean; a norm of 0 stands at the "
        "left edge. "
        "(a) strength of DGR and of the control, a plain penalty on ‖z‖²: the axes differ in unit. "
        "(b) the same runs against the mean norm of the test representations they arrive at, and every run of the main "
        "comparison (open symbols, all multi-task methods): where DGR's line lies above the control's at the same ‖z‖, "
        "it gains more than shrinking z explains. "
        "(c) finite-difference step ε and the exact gradient, for heads with and without kinks. (d) number of dummy "
        "sets. (e, f) cosine and ratio of norms of the two gradients ∂R/∂z on one fixed training batch along training "
        "by finite differences, means over seeds; 1 is agreement. With kinked heads and a tiny ε most steps cross no "
        "kink and agree, and a few are too long by two orders of magnitude."
    )
