"""Runs that collapsed: training went wrong, so that their numbers are no sample of what a method does."""

from __future__ import annotations

import pandas as pd

from dgr.core.improvement import relative_improvement
from dgr.records.delta import single_task_reference
from dgr.records.names import SINGLE_TASK, metric_named
from dgr.records.outcomes import metric_values, primary_metrics

COLLAPSE = 0.5
"""A run collapsed where some task is worse than the mean of the single-task runs by more than this share of it."""


def collapsed_runs(runs: pd.DataFrame) -> pd.Series:
    """Whether each run collapsed, by its test metrics after the last epoch.

    A task collapsed where its relative improvement over the mean of the single-task runs is below −:data:`COLLAPSE`.
    Without single-task runs nothing can be said, and none counts as collapsed.

    Args:
        runs: ``runs.csv``, of one data set and architecture.

    Returns:
        True or False, indexed by (method, regularizer, seed).
    """
    primary = primary_metrics(runs)
    values = metric_values(runs, primary, "test")
    own = values[values.index.get_level_values("method") == SINGLE_TASK].dropna()
    if own.empty:
        return pd.Series(False, index=values.index)
    reference = single_task_reference(own)
    changes = {
        task: values[task].map(
            lambda value, task=task: relative_improvement(
                value, float(reference[task]), metric_named(primary[task]).higher_is_better
            )
        )
        for task in primary
    }
    return pd.DataFrame(changes).lt(-100 * COLLAPSE).any(axis=1)


def collapsed_seeds(runs: pd.DataFrame) -> dict[tuple[str, str], list[int]]:
    """The seeds of the collapsed runs, by method and regularizer; only of those that have any."""
    if runs.empty:
        return {}
    fallen = collapsed_runs(runs)
    seeds: dict[tuple[str, str], list[int]] = {}
    for method, regularizer, seed in fallen.index[fallen]:
        seeds.setdefault((method, regularizer), []).append(int(seed))
    return seeds
