"""A figure's legend in as many rows as its entries need: what does not fit beside each other stands below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.legend import Legend

ROOM = 0.98
"""Share of the figure's width that a legend may take: canvases measure letters a little differently."""


def fitted_legend(figure: Figure, handles: Sequence[Artist], columns: int, **look: Any) -> Legend:
    """Add a frameless legend that is no wider than the figure.

    Args:
        figure: with its width as it will be saved.
        handles: entries, with labels.
        columns: the most entries beside each other.
        look: further arguments of the figure's legend, ``loc`` among them.
    """
    rows = max(1, math.ceil(len(handles) / columns))
    while True:
        beside = max(1, math.ceil(len(handles) / rows))
        legend = figure.legend(handles=handles, ncols=beside, frameon=False, **look)
        if beside == 1 or legend.get_window_extent().width <= ROOM * figure.bbox.width:
            return legend
        legend.remove()
        rows += 1
