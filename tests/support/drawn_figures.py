"""What a reader sees of a finished figure: its legends, and tick labels that run into each other."""

from itertools import combinations
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.legend import Legend


def laid_out(figure: Figure) -> Figure:
    """The figure with everything in its place."""
    figure.draw_without_rendering()
    return figure


def legends(figure: Figure) -> list[Legend]:
    return [*figure.legends, *filter(None, (axis.get_legend() for axis in figure.axes))]


def clipped_entries(figure: Figure) -> list[str]:
    """Legend texts and marks of which the figure's edge cuts something off, by their text."""
    page = figure.bbox
    return [
        text.get_text()
        for legend in legends(figure)
        for text, mark in zip(legend.get_texts(), legend.legend_handles, strict=True)
        for box in (text.get_window_extent(), mark.get_window_extent())
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]


def shown_ticks(axis: Axis) -> list[Any]:
    """Labels of ticks within the axis' limits."""
    low, high = sorted(axis.get_view_interval())
    room = 1e-9 * (high - low)
    near = [tick.label1 for tick in axis.get_major_ticks() if low - room <= tick.get_loc() <= high + room]
    return [label for label in near if label.get_visible() and label.get_text()]


def labels_run_together(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of tick labels of one axis that touch."""
    axes: list[Axes] = figure.axes
    return [
        (one.get_text(), other.get_text())
        for panel in axes
        for axis in (panel.xaxis, panel.yaxis)
        for one, other in combinations(shown_ticks(axis), 2)
        if one.get_window_extent().overlaps(other.get_window_extent())
    ]
