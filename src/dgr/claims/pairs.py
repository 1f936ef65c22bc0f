"""Both sides of each test of a comparison, taken from the records; says what is missing."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pandas as pd

from dgr.claims.schema import PairedComparison, Side
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

Pair = tuple[pd.Series, pd.Series]
Member = tuple[str, ...]
"""A method, then a classifier if there are any."""
Key = tuple[Any, ...]
"""Method, regularizer, seed, then a classifier if there are any."""
GAPS = {"universality_gap": "gap", "universality_gap_normalized": "gap_normalized"}
"""Measures that are a column of ``universality.csv``."""

NAMED = 6
"""How many missing cells are named before the rest is counted."""


def pairs(records: Records, comparison: PairedComparison) -> dict[str, Pair]:
    """Treatment and reference, one value a seed, of every test.

    Returns:
        By the test's name: the comparison's id, then what ``each`` sets apart. Each series is indexed by seed.

    Raises:
        NotRunError: a cell or a seed is missing.
        DGRError: a value is NaN or infinite.
    """
    found = {key: value for key, value in _measure(records, comparison).items() if not math.isnan(value)}
    axis_values = [comparison.methods, *([comparison.classifiers] if comparison.classifiers else [])]
    members: list[Member] = list(itertools.product(*axis_values))
    cells = {_cell(side, member) for side in (comparison.treatment, comparison.reference) for member in members}
    runs = records.runs[RUN].itertuples(index=False)
    seeds = sorted({seed for method, regularizer, seed in runs if (method, regularizer) in cells})
    _check_complete(comparison, found, members, seeds)
    axes = [("method", "classifier").index(axis) for axis in comparison.each]
    names = ["/".join([comparison.id, *(member[axis] for axis in axes)]) for member in members]

    def values(side: Side, name: str) -> pd.Series:
        own = [member for member, of in zip(members, names, strict=True) if of == name]
        rows = [[found[_key(side, member, seed)] for seed in seeds] for member in own]
        return pd.DataFrame(rows, columns=pd.Index(seeds)).mean()

    return {
        name: (values(comparison.treatment, name), values(comparison.reference, name)) for name in dict.fromkeys(names)
    }


def _measure(records: Records, comparison: PairedComparison) -> dict[Key, float]:
    """Values by (method, regularizer, seed) and, for probes, classifier."""
    runs = records.runs
    if comparison.measure == "delta_m":
        if SINGLE_TASK not in set(runs["method"]):
            raise NotRunError("there are no single-task runs, against which Δm is measured")
        values = delta_m_per_run(runs)
    else:
        gap = GAPS.get(comparison.measure)
        by_task = last_universality(records.universality, gap) if gap else probe_accuracies(records.probes)
        values = mean_over_tasks(by_task, trained_tasks(runs), comparison.tasks)
    return dict(zip(values.index, values, strict=True))


def _check_complete(
    comparison: PairedComparison, found: dict[Key, float], members: list[Member], seeds: list[int]
) -> None:
    lacking: dict[tuple[str, str], set[int]] = {}
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


def _cell(side: Side, member: Member) -> tuple[str, str]:
    return side.method or member[0], side.regularizer


def _key(side: Side, member: Member, seed: int) -> Key:
    return (*_cell(side, member), seed, *member[1:])
