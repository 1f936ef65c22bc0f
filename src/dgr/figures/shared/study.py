"""A study's figure: a panel a measure and setting, a line (or a point) a method."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from dgr.figures.shared.curves import LEVEL
from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.study_cells import drawn_cells
from dgr.figures.shared.style import PAGE_WIDTH, RC, Drawing
from dgr.records.names import KNOWN_METHODS
from dgr.records.study_records import StudyRecords

PANEL_HEIGHT = 2.1
LABEL_WIDTH = 30
"""Letters of a line of a vertical label: as many as a panel is high."""
LEGEND_COLUMNS = 5
JOINED = 3
"""The fewest levels that a line joins: between two it would tell of a course that nobody has seen."""
SHARED_ARMS = ("covariance_alignment", "common_layers", "orthogonal_alignment")
"""Arms of several studies that are no methods of the registry."""
METHOD_MARKERS = ("o", "X", "s", "P", "D", "^", "v", "<", ">", "*", "p", "h")
METHOD_LINES = ((0, ()), (0, (4, 1.5)), (0, (1, 1)), (0, (3, 1.25, 1.5, 1.25)), (0, (5, 1, 1, 1)))
TOLD = {
    "mean": "Mean over seeds, and as bands and bars Student's t-interval of the mean",
    "median": "Median over seeds, and as bands and bars its interval of order statistics",
}
"""By what the study's file shows of its seeds."""
Look = Mapping[str, Any]


def study_figure(study: StudyRecords) -> Drawing:
    """Mean or median over seeds against the level, or for each method where there is only one level."""
    cells = drawn_cells(study)
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = _draw(study, cells)
    return Drawing(figure, _caption(study, cells))


def _draw(study: StudyRecords, cells: pd.DataFrame) -> Figure:
    levels = sorted(cells["level"].unique())
    rows = _rows(study, cells)
    figure = Figure(figsize=(PAGE_WIDTH, 0.7 + PANEL_HEIGHT * len(rows)), layout="constrained")
    grid = figure.add_gridspec(len(rows), width := math.lcm(*map(len, rows)))
    drawn = study.frame.loc[study.frame["measure"].isin(study.report.figure), "method"]
    looks = _looks({study.label(name): name for name in dict.fromkeys(drawn)})
    places = _places(study, levels)
    first: dict[str, Axes] = {}
    for row, panels in enumerate(rows):
        for column, (measure, setting) in enumerate(panels):
            span = width // len(panels)
            beside = first.get(measure)
            together = beside if len(levels) == 1 or study.report.statistic == "mean" else None
            axis = figure.add_subplot(grid[row, column * span : (column + 1) * span], sharey=together)
            axis.set_title(study.report.settings[setting])
            axis.tick_params(labelleft=together is None)
            own = cells[(cells["measure"] == measure) & (cells["setting"] == setting)]
            if len(levels) > 1:
                _against_levels(axis, own, looks, places)
                _name_levels(axis, study, places)
                axis.set_ylabel(fill(_measure_name(study, measure), LABEL_WIDTH) if beside is None else "")
            else:
                methods = [label for label in looks if label in set(cells.loc[cells["measure"] == measure, "method"])]
                _one_below_another(axis, own, methods)
                axis.set_xlabel(_measure_name(study, measure))
            first.setdefault(measure, axis)
    if len(levels) > 1:
        # Their name once: beside each other names would be cut off.
        told = study.report.level
        figure.supxlabel(f"{told.label}{' (%)' if told.percent else ''}", fontsize=RC["axes.labelsize"])
        fitted_legend(figure, list(_handles(cells, looks)), LEGEND_COLUMNS, loc="outside upper center")
    return figure


def _rows(study: StudyRecords, cells: pd.DataFrame) -> list[list[tuple[str, str]]]:
    """Measure and setting of the panels, row by row; measures stand beside each other where no setting has them all."""
    there = set(zip(cells["measure"], cells["setting"], strict=True))
    measures = [[(name, one) for one in study.report.settings if (name, one) in there] for name in study.report.figure]
    rows: list[list[tuple[str, str]]] = []
    for panels in filter(None, measures):
        if rows and len(rows[-1]) + len(panels) <= max(map(len, measures)):
            rows[-1].extend(panels)
        else:
            rows.append(panels)
    return rows


def _measure_name(study: StudyRecords, measure: str) -> str:
    told = study.measure(measure)
    return f"{told.label}{f' ({told.unit})' if told.unit else ''}"


def _places(study: StudyRecords, levels: Sequence[float]) -> dict[float, float]:
    """Where on its axis each level stands: too few for a line stand side by side, whatever lies between them."""
    if len(levels) < JOINED:
        return {level: place for place, level in enumerate(levels)}
    return {level: (100 if study.report.level.percent else 1) * level for level in levels}


def _name_levels(axis: Axes, study: StudyRecords, places: Mapping[float, float]) -> None:
    told = study.report.level
    if len(places) < JOINED:
        axis.set_xlim(-0.5, len(places) - 0.5)
    else:
        axis.set_xscale(told.scale)
    axis.set_xticks(list(places.values()), [f"{(100 if told.percent else 1) * level:g}" for level in places])
    axis.xaxis.set_minor_locator(NullLocator())


def _looks(methods: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Colour, marker and line of each label; what several studies may have looks the same in every figure.

    Args:
        methods: by label, the name in the records.
    """
    palette = [*sns.color_palette("colorblind"), *sns.color_palette("dark")]
    own = [*sorted(KNOWN_METHODS, key=lambda name: (name != "equal_weighting", name)), *SHARED_ARMS]
    taken = {own.index(name) for name in methods.values() if name in own}
    free = (place for place in itertools.count() if place not in taken)
    places = {label: own.index(name) if name in own else next(free) for label, name in methods.items()}
    return {
        label: {
            "color": palette[place % len(palette)],
            "marker": METHOD_MARKERS[place % len(METHOD_MARKERS)],
            "linestyle": METHOD_LINES[place % len(METHOD_LINES)],
            "markersize": 4,
        }
        for label, place in places.items()
    }


def _handles(cells: pd.DataFrame, looks: Mapping[str, Look]) -> Iterator[Line2D]:
    """An entry a method, as it is drawn."""
    for label, look in looks.items():
        joined = cells.loc[cells["method"] == label, "level"].nunique() >= JOINED
        yield Line2D([], [], label=label, **{**look, **({} if joined else {"linestyle": "none"})})


def _against_levels(axis: Axes, cells: pd.DataFrame, looks: Mapping[str, Look], places: Mapping[float, float]) -> None:
    for number, (label, look) in enumerate(looks.items()):
        rows = cells[cells["method"] == label].sort_values("level")
        if rows.empty:  # not every method has every measure
            continue
        beside = 0.08 * (number - (len(looks) - 1) / 2) * (len(places) < JOINED)
        x = rows["level"].map(places).to_numpy(float) + beside
        edge: Look = {**look, "markeredgecolor": "white", "markeredgewidth": 0.4}
        if len(rows) >= JOINED:
            axis.plot(x, rows["centre"].to_numpy(), linewidth=1.1, **edge)
            axis.fill_between(x, rows["low"], rows["high"], color=look["color"], alpha=0.13, linewidth=0)
        else:
            axis.vlines(x, rows["low"], rows["high"], color=look["color"], linewidth=1.1)
            axis.plot(x, rows["centre"].to_numpy(), **{**edge, "linestyle": "none"})


def _one_below_another(axis: Axes, cells: pd.DataFrame, methods: Sequence[str]) -> None:
    y = cells["method"].map(methods.index)
    axis.hlines(y, cells["low"], cells["high"], color="0.2", linewidth=1.2)
    axis.plot(cells["centre"].to_numpy(), y.to_numpy(), color="0.2", marker="o", markersize=4, linestyle="none")
    axis.set_yticks(range(len(methods)), methods)
    axis.set_ylim(len(methods) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)


def _caption(study: StudyRecords, cells: pd.DataFrame) -> str:
    report, levels = study.report, cells["level"].unique()
    shows = "; ".join(study.measure(name).label for name in report.figure)
    where = "against" if len(levels) > 1 else "at"
    level = f"{report.level.label}{'' if len(levels) > 1 else f' {study.level(levels[0])}'}"
    ends = sorted({end for cut in cells["cut"] for end in cut})
    cut = f" Intervals are cut at {' and '.join(f'{end:g}' for end in ends)}, where their measure ends." if ends else ""
    return (
        f"{report.title} Shown: {shows}; {where}: {level}. {TOLD[report.statistic]}, "
        f"n = {study.seeds}, at {LEVEL:.0%}.{cut}"
    )
