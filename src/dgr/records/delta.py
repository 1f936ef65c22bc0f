"""Δm for a whole table: how much better than single-task learning, in one number a run.

``Δm = 100/K · Σ_k s_k (M_k − B_k) / |B_k|`` with the run's metric M_k on task k, the single-task reference B_k, and
s_k = +1 where higher is better, −1 where lower is. Definition: Maninis, Radosavovic, Kokkinos, "Attentive
Single-Tasking of Multiple Tasks", CVPR 2019. B_k is the mean of the single-task runs measured
here, never a copied constant.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dgr.core.errors import DGRError
from dgr.core.improvement import mean_relative_improvement


def single_task_reference(values: pd.DataFrame) -> pd.Series:
    """The reference of Δm: the mean over the single-task runs (seeds), per task.

    Args:
        values: metrics of the single-task runs, one row a run, one column a task: shape ``(runs, tasks)``.

    Returns:
        Shape ``(tasks,)``.

    Raises:
        DGRError: there are no such runs.
    """
    if values.empty:
        raise DGRError("Δm needs measured single-task runs; add method 'single_task' to the table's configuration.")
    return values.mean()


def delta_m(values: pd.DataFrame, reference: pd.Series, higher_is_better: Mapping[str, bool]) -> pd.Series:
    """Δm in percent of each run; average over runs only afterwards.

    Args:
        values: one row a run, one column a task: shape ``(runs, tasks)``.
        reference: single-task value of each task, shape ``(tasks,)``.
        higher_is_better: direction of each task's metric.

    Returns:
        Shape ``(runs,)``, indexed as ``values``.

    Raises:
        DGRError: the tasks differ, a value is NaN or infinite, or a reference is zero.
    """
    tasks, references = list(map(str, values)), list(map(str, reference.index))
    if set(tasks) != set(references) or set(tasks) != set(higher_is_better):
        raise DGRError(f"Δm compares tasks {', '.join(tasks)} with a reference for {', '.join(references)}.")
    if not (np.isfinite(values.to_numpy()).all() and np.isfinite(reference.to_numpy()).all()):
        raise DGRError("Δm is not defined for NaN or infinite metrics; repeat the runs that gave them.")
    base = {str(task): float(value) for task, value in reference.items()}

    def of_run(run: pd.Series) -> float:
        return mean_relative_improvement({task: float(run[task]) for task in base}, base, higher_is_better)

    return values.apply(of_run, axis=1)
