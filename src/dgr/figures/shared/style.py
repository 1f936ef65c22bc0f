"""One look for all figures: colour-blind safe, and readable without colour through line style and brightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from dgr.records.names import KNOWN_REGULARIZERS, regularizer_label

mpl.rcdefaults()  # a user's matplotlibrc changes no figure

_NAMES = KNOWN_REGULARIZERS.in_order()
COLOURS, DASHES, MARKERS = (
    {name: KNOWN_REGULARIZERS.declared(name, constant) for name in _NAMES} for constant in ("COLOUR", "DASH", "MARKER")
)
"""How each regularizer is drawn, as its file says."""
LABELS = {
    name: "no regularizer"
    if name == "none"
    else regularizer_label(name) + (" (control)" if KNOWN_REGULARIZERS.declared(name, "CONTROL") else "")
    for name in _NAMES
}
CURVES = {
    name: regularizer_label(name).removeprefix("+ ")
    + (" control" if KNOWN_REGULARIZERS.declared(name, "CONTROL") else "")
    for name in _NAMES
    if KNOWN_REGULARIZERS.declared(name, "SYMBOL")
}
"""What a curve over a regularizer's strengths is called."""
SYMBOLS = {name: KNOWN_REGULARIZERS.declared(name, "SYMBOL") for name in CURVES}
MAIN_ARMS = ("none", "dgr", "dgr_released", "norm", "norm_matched", "normalized", "normalized_dgr")
"""What figures with many lines show; tables have every arm."""
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
