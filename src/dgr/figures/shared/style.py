"""One look for all figures: colour-blind safe, and readable without colour through line style and brightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from dgr.records.names import REGULARIZERS

# From Okabe and Ito's palette, https://jfly.uni-koeln.de/color/
COLOURS = {"none": "#000000", "dgr": "#D55E00", "norm": "#0072B2", "dropout": "#009E73", "weight_decay": "#CC79A7"}
DASHES: dict[str, Any] = {
    "none": (1, 0),
    "dgr": (5, 1.5),
    "norm": (1.2, 1.2),
    "dropout": (4, 1.2, 1, 1.2),
    "weight_decay": (2.5, 2.5),
}
MARKERS = {"none": "o", "dgr": "o", "norm": "D", "dropout": "^", "weight_decay": "v"}
LABELS = {
    name: label if name == "dgr" else "no regularizer" if name == "none" else f"{label} (control)"
    for name, label in REGULARIZERS.items()
}
REFERENCE_LINE: dict[str, Any] = {"color": "0.55", "linewidth": 0.9, "linestyle": (0, (6, 2, 1, 2))}
RC = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "legend.fontsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
}
PAGE_WIDTH = 7.0
"""Inches: the text width of a one-column A4 or letter page."""


@dataclass(frozen=True)
class Drawing:
    """A finished figure and its caption: what is shown, n, what bands mean."""

    figure: Figure
    caption: str
