"""A study's figure: a row of panels a measure, a panel a setting, a line (or a point) a method."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray
from scipy import stats

from dgr.figures.shared.curves import LEVEL, t_interval
from dgr.figures.shared.style import PAGE_WIDTH, RC, Drawing
from dgr.records.names import KNOWN_METHODS
from dgr.records.study_records import StudyRecords

PANEL_HEIGHT = 2.1
LEGEND_COLUMNS = 5
METHOD_MARKERS = ("o", "X", "s", "P", "D", "^", "v", "<", ">", "*", "p", "h")
METHOD_LINES = ((0, ()), (0, (4, 1.5)), (0, (1, 1)), (0, (3, 1.25, 1.5, 1.25)), (0, (5, 1, 1, 1)))


def median_interval(values: pd.Series) -> tuple[float, float]:
    """The median's interval of order statistics at :data:`LEVEL`; NaN (no band) where there are too few values."""
    low, high = stats.quantile_test(values.to_numpy(), p=0.5).confidence_interval(LEVEL)
    return float(low), float(high)


INTERVALS = {"mean": t_interval, "median": median_interval}
TOLD = {
    "mean": "Mean over seeds, and as bands and bars Student's t-interval of the mean",
    "median": "Median over seeds, and as bands and bars its interval of order statistics",
}
"""By what the study's file shows of its seeds."""


def study_figure(study: StudyRecords) -> Drawing:
    """Mean or median over seeds against the level, or for each method where there is only one level."""
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = _draw(study)
    return Drawing(figure, _caption(study))


def _draw(study: StudyRecords) -> Figure:
    report, frame = study.report, study.frame
    there = set(frame.loc[frame["measure"].isin(report.figure), "setting"])
    settings = [name for name in report.settings if name in there]
    looks = _looks({study.label(name): name for name in dict.fromkeys(frame["method"])})
    along_levels = frame["level"].nunique() > 1
    figure = Figure(figsize=(PAGE_WIDTH, 0.7 + PANEL_HEIGHT * len(report.figure)), layout="constrained")
    axes = figure.subplots(
        len(report.figure), len(settings), squeeze=False, sharey="row" if report.statistic == "mean" else False
    )
    for row, measure in zip(axes, report.figure, strict=True):
        told = study.measure(measure)
        name = f"{told.label}{f' ({told.unit})' if told.unit else ''}"
        for axis, setting in zip(row, settings, strict=True):
            chosen = frame[(frame["measure"] == measure) & (frame["setting"] == setting)]
            shown = chosen.assign(value=told.scale * chosen["value"], method=chosen["method"].map(study.label))
            axis.set_visible(not shown.empty)  # not every setting has every measure
            if along_levels:
                _along_levels(axis, shown, study, looks)
            else:
                _one_below_another(axis, shown, looks, name, report.statistic)
            axis.set(title=report.settings[setting])
        first = next(axis for axis in row if axis.get_visible())
        first.set_ylabel(name if along_levels else "")
        first.tick_params(labelleft=True)
    if along_levels:
        _name_levels(figure, axes, study)
        handles = [Line2D([], [], label=name, **look) for name, look in looks.items()]
        figure.legend(
            handles=handles, loc="outside upper center", ncols=min(LEGEND_COLUMNS, len(handles)), frameon=False
        )
    return figure


def _name_levels(figure: Figure, axes: NDArray[Any], study: StudyRecords) -> None:
    """The levels as ticks of the lowest panels, and their name once: beside each other names would be cut off."""
    told = study.report.level
    levels = [(100 if told.percent else 1) * level for level in sorted(study.frame["level"].unique())]
    for axis in axes.flat:
        axis.set_xlabel("")
        if told.scale == "log":
            axis.set_xticks(levels, [f"{level:g}" for level in levels])
            axis.xaxis.set_minor_locator(NullLocator())
    figure.supxlabel(f"{told.label}{' (%)' if told.percent else ''}", fontsize=RC["axes.labelsize"])


def _looks(methods: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Colour, marker and line of each label; a method of the registry has the same in every figure.

    Args:
        methods: by label, the name in the records.
    """
    palette = [*sns.color_palette("colorblind"), *sns.color_palette("dark", 8)]
    own = sorted(KNOWN_METHODS, key=lambda name: (name != "equal_weighting", name))
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


def _along_levels(axis: Axes, shown: pd.DataFrame, study: StudyRecords, looks: dict[str, dict[str, Any]]) -> None:
    told = study.report.level
    for method, rows in shown.groupby("method", sort=False):
        look = looks[str(method)]
        values = rows.groupby("level")["value"]
        centres = values.agg(study.report.statistic)
        places = (100 if told.percent else 1) * centres.index.to_numpy()
        axis.plot(places, centres.to_numpy(), linewidth=1.1, markeredgecolor="white", markeredgewidth=0.4, **look)
        bands = [INTERVALS[study.report.statistic](own) for _, own in values]
        low, high = zip(*bands, strict=True)
        axis.fill_between(places, low, high, color=look["color"], alpha=0.13, linewidth=0)
    axis.set(xscale=told.scale)


def _one_below_another(
    axis: Axes, shown: pd.DataFrame, looks: dict[str, dict[str, Any]], name: str, statistic: str
) -> None:
    order = [method for method in looks if method in set(shown["method"])]
    sns.pointplot(
        shown, x="value", y="method", order=order, color="0.2", linestyle="none", markersize=4,
        estimator=statistic, errorbar=INTERVALS[statistic], err_kws={"linewidth": 1.2}, ax=axis,
    )  # fmt: skip
    axis.set(xlabel=name, ylabel="")


def _caption(study: StudyRecords) -> str:
    report = study.report
    shows = ", ".join(study.measure(name).label for name in report.figure)
    return (
        f"{report.title} Shown: {shows}, against: {report.level.label}. {TOLD[report.statistic]}, "
        f"n = {study.seeds}, at {LEVEL:.0%}."
    )
