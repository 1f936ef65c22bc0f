"""Curves over epochs: one line a regularizer, the mean over seeds, with a band of Student's t-intervals."""

from __future__ import annotations

import math

import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy import stats

from dgr.figures.shared.style import COLOURS, DASHES, LABELS

LEVEL = 0.95


def t_interval(values: pd.Series) -> tuple[float, float]:
    """Student's t-interval of the mean at :data:`LEVEL`; NaN (no band) for a single value."""
    if len(values) < 2:
        return math.nan, math.nan
    half = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def draw_lines(axis: Axes, curves: pd.DataFrame, quantity: str) -> None:
    """One line a regularizer into a panel, without legend: columns ``regularizer``, ``epoch`` and the quantity's."""
    present = _present(curves)
    sns.lineplot(
        curves,
        x="epoch",
        y=quantity,
        hue="regularizer",
        style="regularizer",
        hue_order=present,
        style_order=present,
        palette=COLOURS,
        dashes=DASHES,
        errorbar=t_interval,
        err_kws={"alpha": 0.2, "linewidth": 0},
        legend=False,
        ax=axis,
    )


def line_handles(curves: pd.DataFrame) -> list[Artist]:
    """Legend entries of the regularizers that are there."""
    return [Line2D([], [], color=COLOURS[name], dashes=DASHES[name], label=LABELS[name]) for name in _present(curves)]


def band_handle(seeds: int | str) -> Artist:
    """The legend entry of the bands."""
    return Patch(color="0.8", label=f"{LEVEL:.0%} interval, n = {seeds}")


def _present(curves: pd.DataFrame) -> list[str]:
    return [name for name in COLOURS if name in set(curves["regularizer"])]
