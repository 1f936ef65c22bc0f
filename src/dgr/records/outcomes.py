"""What comparisons compare: one number a run (and classifier), from the records alone, on test at the last epoch."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from dgr.core.errors import DGRError
from dgr.records.delta import delta_m, single_task_reference
from dgr.records.names import SINGLE_TASK, metric_named
from dgr.records.rows import BEST_EPOCH, REPRESENTATION
from dgr.records.scope import CELL

Tasks = Literal["trained", "new"]
RUN = [*CELL, "seed"]


def delta_m_per_run(runs: pd.DataFrame) -> pd.Series:
    """Δm of each run against the mean of the single-task runs.

    The reference is the same constant for all runs, so that a difference of two runs' Δm is a fixed weighting of the
    differences of their tasks' metrics, in percentage points.

    Args:
        runs: ``runs.csv``, narrowed to one data set and architecture.

    Returns:
        Indexed by (method, regularizer, seed).

    Raises:
        DGRError: a run lacks a task's metric, one is NaN or infinite, or there are no single-task runs.
    """
    best = runs[runs["metric"].str.endswith(BEST_EPOCH)]
    primary = {str(t): str(m).removesuffix(BEST_EPOCH) for t, m in zip(best["task"], best["metric"], strict=True)}
    wanted = runs[(runs["split"] == "test") & (runs["metric"] == runs["task"].map(primary))]
    _check_finite(wanted, RUN, "value")
    values = wanted.pivot(index=RUN, columns="task", values="value")
    if holes := list(values.index[values.isna().any(axis=1)]):
        first = ", ".join(map(str, holes[0]))
        raise DGRError(f"{len(holes)} runs lack a task's test metric, the first {first}; train and collect them again.")
    reference = single_task_reference(values[values.index.get_level_values("method") == SINGLE_TASK])
    return delta_m(values, reference, {task: metric_named(name).higher_is_better for task, name in primary.items()})


def trained_tasks(runs: pd.DataFrame) -> set[str]:
    """The tasks that the encoders were trained on."""
    return set(runs["task"]) - {REPRESENTATION}


def universality_gaps(universality: pd.DataFrame, runs: pd.DataFrame, tasks: Tasks, column: str) -> pd.Series:
    """Loss of untrained heads minus loss of refitted heads at each run's last epoch, mean over tasks.

    Args:
        universality: ``universality.csv``, narrowed as the runs.
        runs: ``runs.csv``, which says what was trained on.
        tasks: which tasks to average.
        column: ``gap``, or ``gap_normalized`` with z rescaled to one common norm.

    Returns:
        Indexed by (method, regularizer, seed).
    """
    rows = universality[universality["epoch"] == universality.groupby(RUN)["epoch"].transform("max")]
    return _mean_over_tasks(rows[_are(rows, runs, tasks)], RUN, column)


def probe_accuracies(probes: pd.DataFrame, runs: pd.DataFrame, tasks: Tasks) -> pd.Series:
    """Test accuracy of classifiers on the trained encoders' frozen representations, mean over tasks.

    Args:
        probes: ``probes.csv``, narrowed as the runs.
        runs: ``runs.csv``, which says what was trained on.
        tasks: which tasks to average.

    Returns:
        Indexed by (method, regularizer, seed, classifier).
    """
    rows = probes[probes["source"] == REPRESENTATION]
    return _mean_over_tasks(rows[_are(rows, runs, tasks)], [*RUN, "classifier"], "value")


def _are(rows: pd.DataFrame, runs: pd.DataFrame, tasks: Tasks) -> pd.Series:
    return rows["task"].isin(trained_tasks(runs)) == (tasks == "trained")


def _mean_over_tasks(rows: pd.DataFrame, index: list[str], value: str) -> pd.Series:
    """NaN, not a mean over fewer, where a run lacks a task."""
    _check_finite(rows, index, value)
    return rows.pivot(index=index, columns="task", values=value).mean(axis=1, skipna=False)


def _check_finite(rows: pd.DataFrame, index: list[str], value: str) -> None:
    if (bad := ~np.isfinite(rows[value].astype(float))).any():
        first = ", ".join(map(str, rows.loc[bad, index].iloc[0]))
        raise DGRError(f"The {value} of {first} is NaN or infinite; repeat what measured it.")
