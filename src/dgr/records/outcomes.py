"""The numbers that tables, figures, claims and the summary share, computed here and nowhere else.

Plain functions from the frames of :class:`dgr.records.records.Records`, narrowed to one data set and architecture, to
one number a run (and task, and classifier). Whether all that is configured is there, :mod:`dgr.records.scope` checks.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from dgr.core.errors import DGRError
from dgr.records.delta import delta_m, single_task_reference
from dgr.records.names import SINGLE_TASK, metric_named
from dgr.records.rows import FINAL, REPRESENTATION, Moment

Tasks = Literal["trained", "new"]
RUN = ["method", "regularizer", "seed"]
UNIVERSALITY = {
    "refitted_loss": "refitted head",
    "label_area": "few labels",
    "step_area": "few steps",
    "tempered_loss": "untrained head at its best temperature",
}
"""Measures of universality, columns of ``universality.csv``, as readers see them: losses in nats, lower is better."""


def primary_metrics(runs: pd.DataFrame) -> dict[str, str]:
    """The primary metric of each task, by task, in recorded order."""
    return dict(runs.loc[runs["primary"], ["task", "metric"]].drop_duplicates().itertuples(index=False, name=None))


def trained_tasks(runs: pd.DataFrame) -> set[str]:
    """The tasks that the encoders were trained on."""
    return set(runs["task"]) - {REPRESENTATION}


def metric_values(runs: pd.DataFrame, metrics: dict[str, str], split: str, moment: Moment = FINAL) -> pd.DataFrame:
    """One metric a task, at one split.

    Args:
        runs: ``runs.csv``.
        metrics: metric by task.
        split: train, val or test.
        moment: the last epoch, or that of the best validation mean.

    Returns:
        Rows indexed by (method, regularizer, seed), one column a task; NaN where a run lacks the metric.
    """
    rows = runs[(runs["split"] == split) & (runs["moment"] == moment)]
    wanted = rows[rows["metric"] == rows["task"].map(metrics)]
    _check_finite(wanted, RUN, "value")
    return wanted.pivot(index=RUN, columns="task", values="value")


def trained_out(runs: pd.DataFrame, histories: pd.DataFrame, epochs: int, percent: float) -> pd.Series:
    """Whether each run's validation was flat at its end, see :class:`dgr.config.runs.FlatRule`.

    Args:
        runs: ``runs.csv``.
        histories: ``histories.csv``.
        epochs: how many epochs at the end are held against as many before.
        percent: the largest relative change of the mean over tasks.

    Returns:
        A truth value a run, by (method, regularizer, seed).

    Raises:
        DGRError: a run has fewer than twice as many epochs.
    """
    metrics = primary_metrics(runs)
    ratios = []
    for task, metric in metrics.items():
        values = histories.set_index(RUN)[f"val_{metric}/{task}"].groupby(level=RUN)
        if values.size().min() < 2 * epochs:
            raise DGRError(
                f"Runs of fewer than {2 * epochs} epochs cannot be held to be flat over {epochs}; train longer."
            )
        last, before = (
            values.apply(lambda v: v.iloc[-epochs:].mean()),
            values.apply(lambda v: v.iloc[-2 * epochs : -epochs].mean()),
        )
        # Signed, so that what rises in one task and falls in another does not cancel where both grow better.
        ratios.append((100 if metric_named(metric).higher_is_better else -100) * (last / before - 1))
    return pd.concat(ratios, axis=1).mean(axis=1).abs() <= percent


def delta_m_per_run(runs: pd.DataFrame, moment: Moment = FINAL) -> pd.Series:
    """Δm of each run on test against the mean of the single-task runs.

    The reference is the same constant for all runs, so that a difference of two runs' Δm is a fixed weighting of the
    differences of their tasks' metrics, in percentage points.

    Args:
        runs: ``runs.csv``.
        moment: as for :func:`metric_values`, of the single-task runs too.

    Returns:
        Indexed by (method, regularizer, seed).

    Raises:
        DGRError: a run lacks a task's metric, one is NaN or infinite, or there are no single-task runs.
    """
    primary = primary_metrics(runs)
    values = metric_values(runs, primary, "test", moment)
    if holes := list(values.index[values.isna().any(axis=1)]):
        first = ", ".join(map(str, holes[0]))
        raise DGRError(f"{len(holes)} runs lack a task's test metric, the first {first}; train and collect them again.")
    reference = single_task_reference(values[values.index.get_level_values("method") == SINGLE_TASK])
    return delta_m(values, reference, {task: metric_named(name).higher_is_better for task, name in primary.items()})


def last_universality(universality: pd.DataFrame, column: str) -> pd.DataFrame:
    """A quantity of ``universality.csv`` at each run's last epoch.

    Args:
        universality: ``universality.csv``.
        column: one of :data:`UNIVERSALITY`, or ``mean_norm``.

    Returns:
        Rows indexed by (method, regularizer, seed), one column a task.

    Raises:
        DGRError: a value is NaN or infinite.
    """
    rows = universality[universality["epoch"] == universality.groupby(RUN)["epoch"].transform("max")]
    _check_finite(rows, RUN, column)
    return rows.pivot(index=RUN, columns="task", values=column)


def probe_accuracies(probes: pd.DataFrame, given: str = REPRESENTATION) -> pd.DataFrame:
    """Test accuracy of classifiers on frozen representations.

    Args:
        probes: ``probes.csv``.
        given: ``representation``, or ``untrained`` for encoders as they were initialised.

    Returns:
        Rows indexed by (method, regularizer, seed), columns by (task, classifier).

    Raises:
        DGRError: a value is NaN or infinite.
    """
    rows = probes[probes["given"] == given]
    _check_finite(rows, [*RUN, "classifier"], "value")
    return rows.pivot(index=RUN, columns=["task", "classifier"], values="value")


def mean_over_tasks(values: pd.DataFrame, trained: set[str], tasks: Tasks) -> pd.Series:
    """Mean over the tasks that were, or were not, trained on.

    Args:
        values: one column a task; or a (task, classifier), whose classifiers join the index.
        trained: the tasks of the runs.
        tasks: which to average.

    Returns:
        Indexed by (method, regularizer, seed), and classifier if there are any; NaN, not a mean over fewer, where a run
        lacks a task.
    """
    of_task = values.columns.get_level_values("task")
    chosen = values.loc[:, of_task.isin(list(trained)) == (tasks == "trained")]
    by_task = pd.DataFrame(chosen.stack("classifier")) if chosen.columns.nlevels > 1 else chosen
    return by_task.mean(axis=1, skipna=False)


def _check_finite(rows: pd.DataFrame, index: list[str], value: str) -> None:
    if (bad := ~np.isfinite(rows[value].astype(float))).any():
        first = ", ".join(map(str, rows.loc[bad, index].iloc[0]))
        raise DGRError(f"The {value} of {first} is NaN or infinite; repeat what measured it.")
