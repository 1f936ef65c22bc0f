"""The axis of accuracy: where it ends, and what lies below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dgr.figures.shared.style import REFERENCE_LINE
from dgr.records.names import Metric
from dgr.records.sweep_points import VALUE, Point

ROOM_BELOW = 5.0
"""Points (of the printed metric) below the plain runs at which the axis ends."""


def accuracy_limits(
    points: Sequence[Point], runs: pd.DataFrame, level: float | None, metric: Metric
) -> tuple[float, float]:
    """Where the axis ends below and above.

    Args:
        points: of sweeps.
        runs: shown beside them.
        level: of the plain runs, as printed; None for the median of all.
        metric: what is shown.
    """
    values = metric.scale * pd.concat([*(point.runs[VALUE] for point in points), runs[VALUE]])
    middle = float(values.median()) if level is None else level
    return max(float(values.min()) - 1, middle - ROOM_BELOW), float(values.max()) + 0.4


def finish_accuracy(
    axis: Axes, low: float, high: float, level: float | None, metric: Metric, below: float = 0.26
) -> None:
    """Set limits and label, mark means that lie below, and put the legend under the panel, where it covers no point.

    Args:
        axis: with everything drawn.
        low: where it ends.
        high: likewise.
        level: of a line for the plain runs; None for no line.
        metric: what is shown.
        below: how far under the panel the legend begins, in heights of the panel.
    """
    axis.set(ylim=(low, high), ylabel=f"test {metric.heading}")
    _mark_outside(axis, low)
    if level is not None:
        axis.axhline(level, zorder=1, label="no regularizer", **REFERENCE_LINE)
    look: dict[str, Any] = {"frameon": False, "fontsize": 6.5, "handlelength": 2.4, "columnspacing": 1.0}
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -below), ncols=2, **look)


def _mark_outside(axis: Axes, low: float) -> None:
    """A triangle at the lower edge under every mean that lies below it, with its value beside it."""
    left, right = axis.get_xlim()
    axis.set_xlim(left, right)
    for index, line in enumerate(axis.lines[:]):
        for x, y in np.asarray(line.get_xydata(), dtype=float):
            if y < low:
                x = min(max(x, left), right)  # ‖z‖ = 0 has no place on a logarithmic axis
                axis.plot([x], [low], marker="v", color=line.get_color(), markersize=5, clip_on=False, zorder=4)
                side: dict[str, Any] = {"xytext": (-5 if index % 2 else 5, 4), "ha": "right" if index % 2 else "left"}
                text: dict[str, Any] = {"color": line.get_color(), "fontsize": 6, "textcoords": "offset points"}
                axis.annotate(f"{y:.0f}", (x, low), **side, **text)
