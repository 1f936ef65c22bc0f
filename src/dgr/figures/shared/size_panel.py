"""The panel of F3 that asks whether DGR does more than shrink the representation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from dgr.figures.shared.style import COLOURS, CURVES, DASHES, LABELS, MARKERS, SYMBOLS
from dgr.records.names import Metric
from dgr.records.sweep_points import NORM, VALUE, Point

SHOWN_BESIDE = ("none", "norm_matched", "normalized")
"""Arms of the main comparison that stand beside the sweeps."""


def draw_size(axis: Axes, points: Sequence[Point], runs: pd.DataFrame, metric: Metric) -> None:
    """Accuracy against mean ‖z‖: every run as a dot, the strengths of each regularizer that was swept joined by a line.

    Args:
        axis: where.
        points: of all studies.
        runs: of the main comparison, see :func:`dgr.records.sweep_points.all_runs`.
        metric: what is shown.
    """
    swept = {name: _by_strength(points, name) for name in CURVES}
    for name in (name for name in SHOWN_BESIDE if name in set(runs["regularizer"])):
        mine = runs[runs["regularizer"] == name]
        look: dict[str, Any] = {"marker": MARKERS[name], "s": 11, "facecolor": "none", "linewidth": 0.6, "alpha": 0.6}
        label = None if swept.get(name) else LABELS[name]
        axis.scatter(mine[NORM], metric.scale * mine[VALUE], edgecolor=COLOURS[name], label=label, zorder=2, **look)
    others = [point for point in points if point.regularizer == "dgr" and not point.is_usual()]
    for scaled in (False, True):
        group = [point.runs for point in others if point.normalized == scaled]
        if group:
            rest = pd.concat(group)
            style: dict[str, Any] = {"marker": "x" if scaled else "+", "s": 16, "linewidth": 0.8, "zorder": 2}
            label = "DGR, ‖z‖ fixed (0 ≤ λ)" if scaled else "DGR, other settings"
            colour = "#56B4E9" if scaled else COLOURS["dgr"]
            axis.scatter(rest[NORM], metric.scale * rest[VALUE], color=colour, label=label, alpha=0.8, **style)
    for name, by_strength in swept.items():
        if by_strength:
            means = pd.DataFrame([by_strength[strength].mean() for strength in sorted(by_strength)])
            label = f"{CURVES[name]}, {SYMBOLS[name]} {'rising leftwards' if name == 'dgr' else 'likewise'}"
            look = {"color": COLOURS[name], "dashes": DASHES[name], "marker": MARKERS[name], "markersize": 3.5}
            axis.plot(means[NORM], metric.scale * means[VALUE], label=label, linewidth=1.3, zorder=3, **look)
            each = pd.concat(by_strength.values())
            dots: dict[str, Any] = {"s": 6, "alpha": 0.45, "linewidth": 0, "zorder": 2}
            axis.scatter(each[NORM], metric.scale * each[VALUE], color=COLOURS[name], **dots)
    axis.set(title="does DGR do more than shrink z?", xscale="log", xlabel="mean ‖z‖ of test representations (log)")
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_locator(NullLocator())


def _by_strength(points: Sequence[Point], name: str) -> dict[float, pd.DataFrame]:
    """The runs of each strength of a regularizer whose other settings are as usual."""
    chosen = [point for point in points if (point.is_usual() if name == "dgr" else point.regularizer == name)]
    return {point.strength: point.runs for point in chosen}
