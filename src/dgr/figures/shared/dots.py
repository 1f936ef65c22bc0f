"""A panel with a row for each regularizer: a dot for each seed, the mean and its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from dgr.figures.shared.curves import LEVEL, t_interval
from dgr.figures.shared.style import COLOURS, LABELS

SPREAD = 0.3
"""Height over which seeds are spread, in rows; the same seed is at the same height in every row."""


def draw_dots(axis: Axes, values: pd.DataFrame) -> None:
    """Values into a panel, the first regularizer at the top.

    Args:
        axis: the panel.
        values: one row a seed, one column a regularizer.
    """
    heights = np.linspace(-SPREAD, SPREAD, len(values)) if len(values) > 1 else np.zeros(1)
    for row, name in enumerate(values.columns):
        column = values[name]
        axis.scatter(column, row + heights, s=7, color=COLOURS[name], alpha=0.55, linewidths=0)
        low, high = t_interval(column)
        axis.plot([low, high], [row, row], color="0.1", linewidth=1.1, zorder=3)
        axis.plot([column.mean()], [row], color="0.1", marker="|", markersize=7, linestyle="none", zorder=3)
    axis.set_yticks(range(len(values.columns)), [LABELS[str(name)] for name in values.columns])
    axis.set_ylim(len(values.columns) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)


def dot_handles(seeds: int | str) -> list[Artist]:
    """Legend entries of dots and of the mean with its interval."""
    return [
        Line2D([], [], color="0.5", marker="o", markersize=3, linestyle="none", label=f"a seed, n = {seeds}"),
        Line2D([], [], color="0.1", marker="|", markersize=7, linewidth=1.1, label=f"mean, {LEVEL:.0%} interval"),
    ]
