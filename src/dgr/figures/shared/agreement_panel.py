"""The panels of F3 that show how far the gradients of DGR's two estimators agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from dgr.records.sweep_points import Point

HEADS = {"relu": ("ReLU heads", "o", "-"), "gelu": ("GELU heads", "s", (0, (3, 1.5)))}
"""How heads with and without kinks are called and drawn."""


def draw_agreement(axis: Axes, points: Sequence[Point], quantity: Literal["cosine", "norm_ratio"]) -> None:
    """One quantity along training, means over seeds: a colour for each ε, a line style for each kind of heads."""
    compared = [point for point in points if len(point.agreement)]
    steps = sorted({point.get("epsilon") for point in compared})
    colours = {step: mpl.colormaps["viridis"](index / max(len(steps), 1)) for index, step in enumerate(steps)}
    for point in compared:
        means = point.agreement.groupby("epoch")[quantity].mean()
        label, marker, line = HEADS[point.activation]
        style: dict[str, Any] = {"linestyle": line, "marker": marker, "markersize": 2.5, "linewidth": 1.1}
        first = point.activation == "relu"
        name = f"ε = {point.get('epsilon'):g}" if first else None
        axis.plot(means.index, means, color=colours[point.get("epsilon")], label=name, **style)
    titles = {"cosine": "cosine of the two gradients", "norm_ratio": "norm, finite difference / exact"}
    axis.set(title=titles[quantity], xlabel="epoch")
    if not compared:
        return
    for label, marker, line in HEADS.values():
        axis.plot([], [], color="0.3", linestyle=line, marker=marker, markersize=2.5, linewidth=1.1, label=label)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if quantity == "norm_ratio":
        axis.set(yscale="log")
        axis.yaxis.set_minor_formatter(NullFormatter())
