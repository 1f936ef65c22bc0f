"""F2: how well new heads do on each arm's representation, for tasks that it was trained on and for others."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dgr.core.errors import DGRError
from dgr.figures.shared.curves import LEVEL, draw_lines
from dgr.figures.shared.dots import dot_handles, draw_dots
from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.style import PAGE_WIDTH, RC, Drawing
from dgr.measurements.universality_settings import LABEL_COUNTS, REFIT_SAMPLES, STEPS
from dgr.records.names import method_label, task_label
from dgr.records.outcomes import Tasks, mean_over_tasks
from dgr.records.scope import Scope

NAMES = ("F2",)
PANELS = {
    "refitted_loss": "refitted head",
    "label_area": "few labels",
    "step_area": "few steps",
    "tempered_loss": "untrained head",
}
"""Measures from left to right, as their titles say."""
ROWS: dict[Tasks, str] = {"trained": "trained tasks", "new": "new tasks"}
OVER_EPOCHS = {"refitted_loss": "refitted head, trained tasks (nats)", "mean_norm": "mean ‖z‖ (log scale)"}
MOST_TICKS = 3

Dots = dict[tuple[str, Tasks], pd.DataFrame]
"""By measure and kind of tasks: one row a seed, one column a regularizer."""


def build(scope: Scope) -> Drawing:
    """A dot a seed, mean over tasks, for the method that has most regularizers; curves where it has earlier epochs.

    Raises:
        DGRError: nothing was probed, or a value is missing.
    """
    if not scope.probes:
        raise DGRError(f"{scope.name} needs probes; add a block 'probes' to the suite's configuration of runs.")
    method = _most_regularized(scope)
    trained = scope.primary_metrics()
    dots: Dots = {}
    for measure in PANELS:
        by_task = scope.last_universality(measure)
        for kind in ROWS:
            if kind == "trained" or set(by_task.columns) - set(trained):
                by_run = mean_over_tasks(by_task, set(trained), kind)
                dots[measure, kind] = by_run.loc[method].unstack("regularizer")[_arms(scope, method)]
    frame = scope.records.universality
    frame = frame[(frame["method"] == method) & frame["task"].isin(trained)]
    curves = frame.groupby(["regularizer", "seed", "epoch"], sort=False)[list(OVER_EPOCHS)].mean().reset_index()
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = _draw(dots, curves)
    return Drawing(figure, _caption(scope, dots, curves, method))


def _arms(scope: Scope, method: str) -> list[str]:
    """The probed regularizers of a method, in display order."""
    probed = {scope.run_key(*cell): cell for cell in scope.cells()}
    return [name for key, (of, name) in probed.items() if of == method and key in scope.probes]


def _most_regularized(scope: Scope) -> str:
    """The method with most probed regularizers, the first of several."""
    methods = dict.fromkeys(method for method, _ in scope.cells())
    return max(methods, key=lambda method: len(_arms(scope, method)))


def _draw(dots: Dots, curves: pd.DataFrame) -> Figure:
    kinds = list(dict.fromkeys(kind for _, kind in dots))
    arms, seeds = len(dots["refitted_loss", "trained"].columns), len(dots["refitted_loss", "trained"])
    over_time = curves["epoch"].nunique() > 1
    heights = [0.55 + 0.17 * arms] * len(kinds) + [1.7] * over_time
    figure = Figure(figsize=(PAGE_WIDTH, 0.5 + sum(heights)), layout="constrained")
    grid = figure.add_gridspec(len(heights), len(PANELS), height_ratios=heights)
    for row, kind in enumerate(kinds):
        for column, (measure, title) in enumerate(PANELS.items()):
            axis = figure.add_subplot(grid[row, column])
            draw_dots(axis, dots[measure, kind])
            axis.set(title=title if row == 0 else "", xlabel="nats" if row == len(kinds) - 1 else "", ylabel="")
            axis.set_xticks(_few_ticks(*axis.get_xlim()))
            axis.tick_params(labelleft=column == 0)
            if column == 0:
                axis.set_ylabel(ROWS[kind])
    if over_time:
        for half, (quantity, title) in enumerate(OVER_EPOCHS.items()):
            axis = figure.add_subplot(grid[-1, 2 * half : 2 * half + 2])
            draw_lines(axis, curves, quantity)
            axis.set(title=title, xlabel="epoch (0: untrained encoder)", ylabel="")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_yscale("log")
    fitted_legend(figure, dot_handles(seeds), 2, loc="outside upper center")
    return figure


def _few_ticks(low: float, high: float) -> list[float]:
    """At most :data:`MOST_TICKS` round numbers: four panels beside each other have room for no more."""
    for intervals in range(MOST_TICKS + 1, 0, -1):
        ticks = MaxNLocator(intervals, steps=(1, 2, 2.5, 5, 10)).tick_values(low, high)
        if len(inside := [float(tick) for tick in ticks if low <= tick <= high]) <= MOST_TICKS:
            break
    return inside


def _caption(scope: Scope, dots: Dots, curves: pd.DataFrame, method: str) -> str:
    draws = ", ".join(map(str, sorted({entry["draws"] for entry in scope.probes.values()})))
    tasks = scope.last_universality("refitted_loss").columns
    new = [task_label(task) for task in tasks if task not in scope.primary_metrics()]
    seeds, epochs = len(dots["refitted_loss", "trained"]), sorted(set(curves["epoch"]))
    labels, steps = (f"{counts[0]} to {counts[-1]}" for counts in (LABEL_COUNTS, STEPS))
    text = (
        f"Universality of representations, {method_label(method)}, data set {scope.dataset}, architecture "
        f"{scope.encoder}: test loss in nats of new heads on the frozen representation, mean over "
        f"{len(scope.primary_metrics())} trained tasks"
        + (f" (above) and {len(new)} that no head was trained on ({'; '.join(new)})" if new else "")
        + f". Further left is better. Refitted head: fitted to at most {REFIT_SAMPLES:,} training samples. Few labels: "
        f"fitted to {labels} of them, mean over the logarithm of their number. Few steps: after {steps} steps of "
        f"gradient descent, likewise. Untrained head: mean of {draws}, each at its best temperature. Mean and size of "
        f"the representation are taken out first, so that shrinking it changes nothing. n = {seeds} seeds; lines "
        f"are {LEVEL:.0%} t-intervals of the mean."
    )
    if len(epochs) > 1:
        text += f" Below: means over seeds at epochs {', '.join(map(str, epochs))}, with such intervals, pointwise."
    return text
