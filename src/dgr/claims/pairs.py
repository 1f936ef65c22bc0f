"""Both sides of a comparison, taken from the records; says what is missing."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pandas as pd

from dgr.claims.comparisons import PairedComparison, Side
from dgr.claims.verdict import NotRunError
from dgr.records.names import SINGLE_TASK, method_label, regularizer_label
from dgr.records.outcomes import (
    RUN,
    delta_m_per_run,
    last_universality,
    mean_over_tasks,
    probe_accuracies,
    trained_tasks,
)
from dgr.records.records import Records

Pair = tuple[pd.DataFrame, pd.DataFrame]
"""Treatment and reference: one row a seed, one column a method."""
Member = tuple[str, ...]
"""A method, then a classifier if there are any."""
Key = tuple[Any, ...]
"""Method, regularizer, seed, then a classifier if there are any."""
Cell = tuple[str, str]
"""Method and regularizer."""

NAMED = 6
"""How many missing cells are named before the rest is counted."""


def pair(records: Records, comparison: PairedComparison) -> Pair:
    """Treatment and reference, one value a seed and method: means over tasks and classifiers.

    Raises:
        NotRunError: a cell or a seed is missing.
        DGRError: a value is NaN or infinite.
    """
    found = {key: value for key, value in _measure(records, comparison).items() if not math.isnan(value)}
    classifiers: list[Member] = [(name,) for name in comparison.classifiers] or [()]
    members = [(method, *rest) for method, rest in itertools.product(comparison.methods, classifiers)]
    cells = {cell for side in side_cells(comparison) for cell in side}
    runs = records.runs[RUN].itertuples(index=False)
    seeds = sorted({seed for method, regularizer, seed in runs if (method, regularizer) in cells})
    _check_complete(comparison, found, members, seeds)

    def values(side: Side) -> pd.DataFrame:
        columns = {
            method: [
                sum(found[_key(side, (method, *rest), seed)] for rest in classifiers) / len(classifiers)
                for seed in seeds
            ]
            for method in comparison.methods
        }
        return pd.DataFrame(columns, index=pd.Index(seeds, name="seed"))

    return values(comparison.treatment), values(comparison.reference)


def side_cells(comparison: PairedComparison) -> tuple[list[Cell], list[Cell]]:
    """Method and regularizer of the runs on either side, treatment first."""
    treatment, reference = (
        list(dict.fromkeys(_cell(side, (method,)) for method in comparison.methods))
        for side in (comparison.treatment, comparison.reference)
    )
    return treatment, reference


def _measure(records: Records, comparison: PairedComparison) -> dict[Key, float]:
    """Values by (method, regularizer, seed) and, for probes, classifier."""
    runs, measure = records.runs, comparison.measure
    if measure == "delta_m":
        if SINGLE_TASK not in set(runs["method"]):
            raise NotRunError("there are no single-task runs, against which Δm is measured")
        values = delta_m_per_run(runs)
    elif measure == "probe_accuracy":
        values = mean_over_tasks(probe_accuracies(records.probes), trained_tasks(runs), comparison.tasks)
    elif measure not in records.universality:
        raise NotRunError(f"universality.csv has no column {measure}")
    else:
        by_task = last_universality(records.universality, measure)
        values = mean_over_tasks(by_task, trained_tasks(runs), comparison.tasks)
    return dict(zip(values.index, values, strict=True))


def _check_complete(
    comparison: PairedComparison, found: dict[Key, float], members: list[Member], seeds: list[int]
) -> None:
    lacking: dict[Cell, set[int]] = {}
    for side, member in itertools.product((comparison.treatment, comparison.reference), members):
        gone = {seed for seed in seeds if _key(side, member, seed) not in found}
        if gone or not seeds:
            lacking[_cell(side, member)] = lacking.get(_cell(side, member), set()) | gone
    if lacking:
        texts = [
            cell_label(*cell) + (f" (seeds {', '.join(map(str, sorted(gone)))})" if len(gone) < len(seeds) else "")
            for cell, gone in lacking.items()
        ]
        texts[NAMED:] = [f"{len(texts) - NAMED} more"] * (len(texts) > NAMED)
        what = {"delta_m": "run", "probe_accuracy": "probe"}.get(comparison.measure, "measurement of universality")
        what += " of a task not trained on" * (comparison.tasks == "new")
        raise NotRunError(f"no {what} for {', '.join(texts)}")


def cell_label(method: str, regularizer: str) -> str:
    """``EW + DGR``, ``EW alone``."""
    return f"{method_label(method)} {'alone' if regularizer == 'none' else regularizer_label(regularizer)}"


def _cell(side: Side, member: Member) -> Cell:
    return side.method or member[0], side.regularizer


def _key(side: Side, member: Member, seed: int) -> Key:
    return (*_cell(side, member), seed, *member[1:])
