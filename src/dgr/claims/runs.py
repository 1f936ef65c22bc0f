"""Verdicts on claims that runs decide."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from dgr.claims.comparisons import AnyComparison, CostComparison, PairedComparison
from dgr.claims.cost import cost_verdict
from dgr.claims.decide import Differences, decide
from dgr.claims.pairs import Cell, cell_label, pair, side_cells
from dgr.claims.sample_error import sample_error
from dgr.claims.schema import Claim
from dgr.claims.verdict import Decision, Verdict
from dgr.comparison import paired_differences
from dgr.records.collapsed import COLLAPSE, collapsed_seeds
from dgr.records.names import SINGLE_TASK
from dgr.records.records import Records


def run_verdicts(records: Records, claims: Iterable[Claim]) -> list[Verdict]:
    """The verdict on every test of every claim, in the order of the file.

    Args:
        records: of one data set and architecture.
        claims: claims whose comparisons are of kind ``paired`` or ``cost``.

    Raises:
        DGRError: a value is NaN or infinite. Missing records are no error: the verdict is 'not run' and names them.
    """
    collapsed = collapsed_seeds(records.runs)

    def look_up(claim: Claim, comparison: AnyComparison) -> Differences | Verdict:
        if isinstance(comparison, CostComparison):
            return cost_verdict(records.costs, claim, comparison)
        assert isinstance(comparison, PairedComparison)
        treatment, reference = pair(records, comparison)
        return Differences(
            pd.Series(paired_differences(treatment.mean(axis=1), reference.mean(axis=1)), treatment.index),
            treatment - reference,
            _refused(comparison, collapsed),
            sample_error(records, comparison),
        )

    return decide(claims, look_up)


def _refused(comparison: PairedComparison, collapsed: dict[Cell, list[int]]) -> tuple[Decision, str] | None:
    """The verdict where a run of either side collapsed: no mean over such runs means anything."""
    treatment, reference = side_cells(comparison)
    if comparison.measure == "delta_m":
        reference = [*reference, (SINGLE_TASK, "none")]
    sides: list[tuple[Decision, list[Cell]]] = [("assay failed", reference), ("undecided", treatment)]
    for decision, cells in sides:
        if fallen := {cell: collapsed[cell] for cell in cells if cell in collapsed}:
            told = [f"{cell_label(*cell)} (seeds {', '.join(map(str, seeds))})" for cell, seeds in fallen.items()]
            return decision, f"runs of {' and of '.join(told)} collapsed: a task more than {COLLAPSE:.0%} below STL"
    return None
