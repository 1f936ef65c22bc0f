"""The one way from differences to verdicts: all tests of a claim are one family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dgr.claims.schema import AnyComparison, Claim, CostComparison, PairedComparison
from dgr.claims.verdict import Decision, NotRunError, Verdict, decision_of
from dgr.comparison import (
    Comparison,
    bootstrap_interval,
    compare,
    equivalence_p,
    generator_from,
    smallest_p,
)
from dgr.core.arrays import FloatArray

OUTCOME_SIDES = {"better": 1, "worse": -1, "inconclusive": 0}


@dataclass(frozen=True)
class Differences:
    """Treatment minus reference of one comparison, one value a seed.

    Attributes:
        tests: by the test's name, which begins with the comparison's id; each of shape ``(n,)``.
        average: over the tests, of the same shape.
    """

    tests: dict[str, FloatArray]
    average: FloatArray


LookUp = Callable[[Claim, AnyComparison], Differences | Verdict]
"""Takes a comparison's differences from the records, or a verdict that needs no test; raises NotRunError."""
Explain = Callable[[tuple[Comparison, ...], Decision], list[str]]
"""Says why tests gave a decision, in the words of their kind."""


def decide(claim: Claim, look_up: LookUp, explain: Explain) -> list[Verdict]:
    """The verdicts on one claim, in the order of its comparisons.

    Comparisons whose records are missing are no part of the family: what was not run is not tested.

    Raises:
        DGRError: a value is NaN or infinite. Missing records are no error: the verdict is 'not run' and names them.
    """
    decided: dict[str, Verdict] = {}
    differences: dict[str, Differences] = {}
    for comparison in claim.comparisons:
        try:
            found = look_up(claim, comparison)
        except NotRunError as error:
            found = Verdict(claim, comparison, "not run", str(error))
        if isinstance(found, Verdict):
            decided[comparison.id] = found
        else:
            differences[comparison.id] = found
    family = {name: values for found in differences.values() for name, values in found.tests.items()}
    lower = {c.id for c in claim.comparisons if not isinstance(c, CostComparison) and c.direction == "lower"}
    lower_tests = [name for id_ in lower & set(differences) for name in differences[id_].tests]
    tests = {test.name: test for test in compare(family, claim.alpha, lower_tests)}
    for comparison in claim.comparisons:
        if own := differences.get(comparison.id):
            members = tuple(tests[name] for name in own.tests)
            decided[comparison.id] = _verdict(claim, comparison, own.average, members, explain)
    return [_unless_withdrawn(decided[comparison.id]) for comparison in claim.comparisons]


def _unless_withdrawn(verdict: Verdict) -> Verdict:
    reason = verdict.comparison.withdrawn
    if reason is None or verdict.decision == "not run":
        return verdict
    return replace(verdict, decision="withdrawn", reason=reason)


def _verdict(
    claim: Claim, comparison: AnyComparison, average: FloatArray, tests: tuple[Comparison, ...], explain: Explain
) -> Verdict:
    low, high = bootstrap_interval(average, 1 - claim.alpha, generator_from(average))
    decision = decision_of(OUTCOME_SIDES[test.outcome] for test in tests)
    reasons = [*explain(tests, decision), _equivalence(claim, comparison, average)]
    return Verdict(
        claim,
        comparison,
        decision,
        "; ".join(filter(None, reasons)),
        n=len(average),
        mean=float(average.mean()),
        low=low,
        high=high,
        tests=tests,
    )


def _equivalence(claim: Claim, comparison: AnyComparison, average: FloatArray) -> str:
    """Whether the difference is shown to be too small to matter; empty if not, or if nobody said how small that is."""
    margin = comparison.margin if isinstance(comparison, PairedComparison) else None
    if margin is None or smallest_p(len(average)) > claim.alpha:
        return ""
    p = equivalence_p(average, margin)
    return f"equivalence: the difference lies within ±{margin:g} (fixed before), p = {p:.2g}" if p < claim.alpha else ""
