"""F5: validation metric against epoch, one panel a method, one line a regularizer."""

from __future__ import annotations

import math

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dgr.core.errors import DGRError
from dgr.figures.shared.curves import LEVEL, band_handle, draw_lines, line_handles
from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.style import MAIN_ARMS, PAGE_WIDTH, RC, REFERENCE_LINE, Drawing
from dgr.records.names import SINGLE_TASK, Metric, method_label, metric_named
from dgr.records.scope import CELL, Scope

NAMES = ("F5",)
PANELS_A_ROW = 3
ENTRIES_A_ROW = 3
SKIPPED = 0.4
"""Share of the first epochs that may run out of the panel, so that the differences at the end can be seen."""


def build(scope: Scope) -> Drawing:
    """Mean over tasks of the validation metric, with a t-interval of the mean over seeds.

    Raises:
        DGRError: the tasks have different metrics, whose mean would have no unit.
    """
    metrics = scope.primary_metrics()
    if len(set(metrics.values())) != 1:
        raise DGRError(
            f"{scope.name} averages one metric over tasks, but the tasks have {', '.join(metrics.values())}."
        )
    metric = metric_named(next(iter(metrics.values())))
    curves = _curves(scope, metrics, metric)
    methods = list(dict.fromkeys(method for method, _ in scope.cells() if method != SINGLE_TASK))
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = _draw(curves, methods, metric)
    return Drawing(figure, _caption(scope, curves, metric))


def _curves(scope: Scope, metrics: dict[str, str], metric: Metric) -> pd.DataFrame:
    columns = [f"val_{name}/{task}" for task, name in metrics.items()]
    histories = scope.records.histories
    histories = histories[histories["regularizer"].isin(MAIN_ARMS)]
    return histories[[*CELL, "seed", "epoch"]].assign(value=metric.scale * histories[columns].mean(axis=1))


def _draw(curves: pd.DataFrame, methods: list[str], metric: Metric) -> Figure:
    columns = min(PANELS_A_ROW, len(methods))
    rows = math.ceil(len(methods) / columns)
    figure = Figure(figsize=(PAGE_WIDTH, 1.5 + 1.6 * rows), layout="constrained")
    axes: list[Axes] = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    reference = curves[curves["method"] == SINGLE_TASK].groupby("epoch")["value"].mean()
    for axis, method in zip(axes, methods, strict=False):
        axis.plot(reference.index, reference, **REFERENCE_LINE)
        draw_lines(axis, curves[curves["method"] == method], "value")
        axis.set(title=method_label(method), xlabel="", ylabel="")
        axis.tick_params(labelbottom=True)
    for axis in axes[len(methods) :]:
        axis.remove()
    axes[0].set_ylim(*_limits(curves))
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.supxlabel("epoch", fontsize=RC["axes.labelsize"])
    figure.supylabel(f"validation {metric.heading}, mean over tasks", fontsize=RC["axes.labelsize"])
    handles = line_handles(curves)
    if len(reference):
        handles.append(Line2D([], [], label=f"{method_label(SINGLE_TASK)} (mean)", **REFERENCE_LINE))
    handles.append(band_handle(_seeds(curves)))
    fitted_legend(figure, handles, ENTRIES_A_ROW, loc="outside upper center", handlelength=3)
    return figure


def _limits(curves: pd.DataFrame) -> tuple[float, float]:
    """From the lowest to the highest line once the first epochs are over, with a little room for the bands."""
    start = curves["epoch"].min() + SKIPPED * (curves["epoch"].max() - curves["epoch"].min())
    lines = curves.groupby([*CELL, "epoch"])["value"].mean()
    late = lines[lines.index.get_level_values("epoch") >= start]
    room = 0.15 * (late.max() - late.min()) or 1.0
    return float(late.min() - room), float(late.max() + room)


def _caption(scope: Scope, curves: pd.DataFrame, metric: Metric) -> str:
    return (
        f"Data set {scope.dataset}, architecture {scope.encoder}: validation {metric.label}, mean over tasks, "
        f"against epoch; one panel a method, single-task learning ({method_label(SINGLE_TASK)}) as grey reference. "
        f"Lines are means over n = {_seeds(curves)} seeds; bands are {LEVEL:.0%} t-intervals of the mean, pointwise. "
        f"The axis leaves out what lies below every line after the first {SKIPPED:.0%} of the epochs. "
        "Rate and strength of each arm are the tuned ones of T1, which has all arms."
    )


def _seeds(curves: pd.DataFrame) -> str:
    counts = curves.groupby(CELL)["seed"].nunique()
    low, high = counts.min(), counts.max()
    return str(low) if low == high else f"{low} to {high}"
