"""A study's figure: a row of panels a measure, a panel a setting, a line a method."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dgr.reporting.curves import LEVEL, t_interval
from dgr.reporting.study_records import StudyRecords
from dgr.reporting.style import PAGE_WIDTH, RC, Drawing

PANEL_HEIGHT = 2.1
LEGEND_COLUMNS = 5


def study_figure(study: StudyRecords) -> Drawing:
    """Mean over seeds against the level, or against the method where there is only one level."""
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = _draw(study)
    return Drawing(figure, _caption(study))


def _draw(study: StudyRecords) -> Figure:
    report = study.report
    settings = [name for name in report.settings if name in set(study.frame["setting"])]
    along_levels = study.frame["level"].nunique() > 1
    figure = Figure(figsize=(PAGE_WIDTH, 0.7 + PANEL_HEIGHT * len(report.figure)), layout="constrained")
    axes = figure.subplots(len(report.figure), len(settings), squeeze=False, sharey="row")
    labels = {study.label(name): rank for rank, name in enumerate(dict.fromkeys(study.frame["method"]))}
    colours = dict(zip(labels, sns.color_palette("colorblind", len(labels)), strict=True))
    for row, measure in zip(axes, report.figure, strict=True):
        for axis, setting in zip(row, settings, strict=True):
            chosen = study.frame[(study.frame["measure"] == measure) & (study.frame["setting"] == setting)]
            told = study.measure(measure)
            shown = chosen.assign(value=told.scale * chosen["value"], method=chosen["method"].map(study.label))
            if shown.empty:  # not every setting has every measure
                axis.set_visible(False)
                continue
            (_along_levels if along_levels else _side_by_side)(axis, shown, study, colours)
            axis.set(title=report.settings[setting])
        told = study.measure(measure)
        first = next(axis for axis in row if axis.get_visible())
        first.set_ylabel(f"{told.label}{f' ({told.unit})' if told.unit else ''}")
        first.tick_params(labelleft=True)
    if along_levels:
        handles: dict[str, Artist] = {}
        for axis in axes.flat:
            handles |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
            if axis.get_legend():
                axis.get_legend().remove()
        chosen_labels = sorted(handles, key=labels.__getitem__)
        entries = [handles[label] for label in chosen_labels]
        place: Any = {"loc": "outside lower center", "ncols": min(LEGEND_COLUMNS, len(handles)), "frameon": False}
        figure.legend(entries, chosen_labels, **place)
    return figure


def _along_levels(axis: Axes, shown: pd.DataFrame, study: StudyRecords, colours: dict[str, object]) -> None:
    present = [name for name in colours if name in set(shown["method"])]
    factor = 100 if study.report.level.percent else 1
    sns.lineplot(
        shown.assign(level=factor * shown["level"]),
        x="level",
        y="value",
        hue="method",
        style="method",
        hue_order=present,
        style_order=present,
        palette=colours,
        markers=True,
        errorbar=t_interval,
        err_kws={"alpha": 0.15, "linewidth": 0},
        ax=axis,
    )
    unit = " (%)" if study.report.level.percent else ""
    axis.set(xscale=study.report.level.scale, xlabel=f"{study.report.level.label}{unit}", ylabel="")


def _side_by_side(axis: Axes, shown: pd.DataFrame, study: StudyRecords, colours: dict[str, object]) -> None:
    present = [name for name in colours if name in set(shown["method"])]
    sns.pointplot(
        shown,
        x="method",
        y="value",
        order=present,
        hue="method",
        hue_order=present,
        palette=colours,
        linestyle="none",
        errorbar=t_interval,
        legend=False,
        ax=axis,
    )
    axis.set(xlabel="", ylabel="")
    axis.tick_params(axis="x", rotation=60)


def _caption(study: StudyRecords) -> str:
    shows = ", ".join(study.measure(name).label for name in study.report.figure)
    return (
        f"{study.report.title} Shown: {shows}, against: {study.report.level.label}. Mean over n = {study.seeds} seeds; "
        f"bands and bars: Student's t-interval of the mean at {LEVEL:.0%}."
    )
