"""The one way from differences to verdicts: all tests of a claim are one family, and a positive control may fail it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pandas as pd

from dgr.claims.comparisons import AnyComparison, CostComparison, PairedComparison, StudyComparison
from dgr.claims.members import own_tests
from dgr.claims.schema import Claim
from dgr.claims.verdict import Decision, NotRunError, Verdict
from dgr.comparison import Comparison, Planned, compare
from dgr.comparison.family import Statistic, region_text
from dgr.comparison.over_methods import LEAST_METHODS, over_methods


@dataclass(frozen=True)
class Differences:
    """Treatment minus reference of one comparison.

    Attributes:
        values: one a seed, indexed by seed.
        by_method: the same for each method that is averaged, one row a seed; None without.
        refused: the verdict where runs collapsed, whatever a test would say, with the reason; None where none did.
        test_set_se: standard error that the choice of test samples adds, where it is known.
    """

    values: pd.Series
    by_method: pd.DataFrame | None = None
    refused: tuple[Decision, str] | None = None
    test_set_se: float | None = None


LookUp = Callable[[Claim, AnyComparison], Differences | Verdict]
"""Takes a comparison's differences from the records, or a verdict that needs no test; raises NotRunError."""


def decide(claims: Iterable[Claim], look_up: LookUp) -> list[Verdict]:
    """The verdicts on claims, in the order of their comparisons; each has one test, one verdict, one row.

    Comparisons whose records are missing are no part of the family: what was not run is not tested.

    Raises:
        DGRError: a value is NaN or infinite. Missing records are no error: the verdict is 'not run' and names them.
    """
    return _through_gates([verdict for claim in claims for verdict in _decided(own_tests(claim), look_up)])


def _decided(claim: Claim, look_up: LookUp) -> list[Verdict]:
    found: dict[str, Differences | Verdict] = {}
    for comparison in claim.comparisons:
        try:
            found[comparison.id] = look_up(claim, comparison)
        except NotRunError as error:
            found[comparison.id] = Verdict(claim, comparison, "not run", str(error))
    family = {
        comparison.id: _planned(comparison, differences)
        for comparison in claim.comparisons
        if isinstance(differences := found[comparison.id], Differences)
    }
    tests = compare(family, claim.alpha)
    return [
        entry if isinstance(entry := found[comparison.id], Verdict) else _verdict(claim, comparison, entry, tests)
        for comparison in claim.comparisons
    ]


def _planned(comparison: AnyComparison, differences: Differences) -> Planned:
    assert not isinstance(comparison, CostComparison)
    statistic: Statistic = getattr(comparison, "statistic", "mean")
    invalid = differences.refused[1] if differences.refused else ""
    return Planned(differences.values.to_numpy(), comparison.region, statistic, invalid)


def _verdict(
    claim: Claim, comparison: AnyComparison, differences: Differences, tests: dict[str, Comparison]
) -> Verdict:
    by_seed = _by_seed(differences)
    if differences.refused:
        return Verdict(claim, comparison, *differences.refused, by_seed=by_seed)
    assert not isinstance(comparison, CostComparison)
    test, by_method = tests[comparison.id], differences.by_method
    decision, reason = _decision(comparison, test), test.reason
    if decision == "undecided" and not reason:
        reason = f"there is a difference, but it may lie within {region_text(comparison.region)}"
    together = None
    if by_method is not None and by_method.shape[1] >= LEAST_METHODS and len(by_method) > 1:
        together = over_methods(by_method, test.confidence)
    return Verdict(
        claim,
        comparison,
        decision,
        reason,
        test,
        {} if by_method is None else {str(name): float(by_method[name].mean()) for name in by_method},
        together,
        differences.test_set_se,
        by_seed=by_seed,
    )


def _by_seed(differences: Differences) -> dict[str, dict[int, float]]:
    columns: dict[str, pd.Series] = {"": differences.values}
    if differences.by_method is not None and differences.by_method.shape[1] > 1:
        columns |= {str(name): differences.by_method[name] for name in differences.by_method}
    return {
        name: dict(zip(map(int, column.index), map(float, column), strict=True)) for name, column in columns.items()
    }


def _decision(comparison: PairedComparison | StudyComparison, test: Comparison) -> Decision:
    """From the side of zero that the deciding interval lies on, or that it lies in the region."""
    if test.outcome == "undecided":
        return "undecided"
    if comparison.direction == "none":
        # Something is shown against the claim only where all of the interval is too large to be ignored.
        relevant = test.low > comparison.region or test.high < -comparison.region
        return "no relevant difference" if test.outcome == "equivalent" else "opposite" if relevant else "undecided"
    if test.outcome == "equivalent":
        return "no relevant difference"
    return "supported" if (test.outcome == "positive") == (comparison.direction == "higher") else "opposite"


def _through_gates(verdicts: list[Verdict]) -> list[Verdict]:
    """'assay failed' where the positive control is not supported; one that the suite does not run is not asked."""
    decided: dict[str, list[Decision]] = {}
    for verdict in verdicts:
        decided.setdefault(verdict.comparison.id.partition("-")[0], []).append(verdict.decision)

    def gated(verdict: Verdict) -> Verdict:
        gate = verdict.comparison.gate
        failed = [one for one in decided.get(gate or "", []) if one != "supported"]
        if not failed or verdict.decision == "not run":
            return verdict
        return replace(verdict, decision="assay failed", reason=f"the positive control {gate} is {_told(failed[0])}")

    return [gated(verdict) for verdict in verdicts]


def _told(decision: Decision) -> str:
    return {"opposite": "opposite to what is known"}.get(decision, decision)
