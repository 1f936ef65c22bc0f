"""How much of a difference of Δm hangs on which test samples there happened to be."""

from __future__ import annotations

import numpy as np

from dgr.claims.comparisons import PairedComparison
from dgr.claims.pairs import Cell, side_cells
from dgr.comparison.samples import sample_uncertainty
from dgr.core.arrays import FloatArray
from dgr.records.answers import right_answers, sources_by_seed
from dgr.records.delta import single_task_reference
from dgr.records.names import SINGLE_TASK
from dgr.records.outcomes import metric_values, primary_metrics
from dgr.records.records import Records

Answers = dict[int, FloatArray]
"""By seed, each test sample's part of Δm: shape ``(samples,)``."""


def sample_error(records: Records, comparison: PairedComparison) -> float | None:
    """Standard error of a mean difference of Δm from the choice of test samples; the trained models stay as they are.

    Δm is linear in right answers: one of task k among the samples adds ``100 / (K B_k)`` with the single-task accuracy
    B_k, which counts as known. Pairs that share digits are no independent samples, see :mod:`dgr.comparison.samples`.

    Args:
        records: of one data set and architecture, complete for the comparison.
        comparison: any.

    Returns:
        None for other measures, where a task's metric is no accuracy, where samples are not composed of two
        sources, or where answers were not recorded.
    """
    metrics = primary_metrics(records.runs)
    sources = sources_by_seed(records.sources)
    pairs_only = bool(sources) and all(ids.shape[1] == 2 for ids in sources.values())
    if comparison.measure != "delta_m" or set(metrics.values()) != {"accuracy"} or not pairs_only:
        return None
    values = metric_values(records.runs, metrics, "test")
    reference = single_task_reference(values[values.index.get_level_values("method") == SINGLE_TASK])
    worth = {task: 100 / (len(metrics) * float(reference[task])) for task in metrics}
    treatment, other = (_mean(records, cells, worth) for cells in side_cells(comparison))
    if not treatment or set(treatment) != set(other) or not set(treatment) <= set(sources):
        return None
    seeds = sorted(treatment)
    differences = [treatment[seed] - other[seed] for seed in seeds]
    return sample_uncertainty(differences, [sources[seed] for seed in seeds]).standard_error


def _mean(records: Records, cells: list[Cell], worth: dict[str, float]) -> Answers:
    """Mean over methods; without the seeds whose answers some method lacks."""
    found = [right_answers(records.answers, *cell) for cell in cells]
    seeds = set.intersection(*(set(answers) for answers in found))
    return {
        seed: np.mean(
            [np.sum([worth[task] * answers[seed][task] for task in worth], axis=0) for answers in found], axis=0
        )
        for seed in seeds
        if all(set(worth) <= set(answers[seed]) for answers in found)
    }
