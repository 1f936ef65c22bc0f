"""Verdicts on claims, computed from the records and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from dgr.claims.cost import cost_ratios
from dgr.claims.pairs import NotRunError, Pair, pairs
from dgr.claims.schema import AnyComparison, Claim, Claims, CostComparison, PairedComparison
from dgr.comparison import (
    Comparison,
    bootstrap_interval,
    compare,
    equivalence_p,
    generator_from,
    paired_differences,
    smallest_p,
)
from dgr.records.names import CLASSIFIERS, KNOWN_METHODS, method_label
from dgr.records.records import Records

Decision = Literal["reproduced", "contradicted", "inconclusive", "not run"]


@dataclass(frozen=True)
class Verdict:
    """What the records say on one comparison of a claim.

    Attributes:
        claim, comparison: the entries of ``claims.yaml``.
        decision: the verdict.
        reason: why it is not 'reproduced' or what is missing, and whether equivalence is shown; may be empty.
        n: seeds of a paired comparison; 0 for costs and where nothing was run.
        mean, low, high: mean difference treatment − reference over all tests and its BCa interval; None without.
        tests: the tests that belong to this comparison; empty for costs.
        ratios: cost ratios by number of dummies.
    """

    claim: Claim
    comparison: AnyComparison
    decision: Decision
    reason: str
    n: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    tests: tuple[Comparison, ...] = ()
    ratios: dict[int, float] = field(default_factory=dict)


def verdicts(records: Records, claims: Claims) -> list[Verdict]:
    """The verdict on every comparison of every claim, in the order of the file.

    Args:
        records: of one data set and architecture.
        claims: the parsed ``claims.yaml``.

    Raises:
        DGRError: a value is NaN or infinite. Missing records are no error: the verdict is 'not run' and names them.
    """
    return [verdict for claim in claims.claims for verdict in decide(records, claim)]


def decide(records: Records, claim: Claim) -> list[Verdict]:
    """The verdicts on one claim, whose paired tests are one family.

    Comparisons whose records are missing are no part of the family: what was not run is not tested.
    """
    paired: dict[str, dict[str, Pair]] = {}
    found: dict[str, Verdict] = {}
    for comparison in claim.comparisons:
        try:
            if isinstance(comparison, CostComparison):
                found[comparison.id] = _cost_verdict(claim, comparison, cost_ratios(records.costs, comparison))
            elif isinstance(comparison, PairedComparison):
                paired[comparison.id] = pairs(records, comparison)
        except NotRunError as error:
            found[comparison.id] = Verdict(claim, comparison, "not run", str(error))
    lower = {c.id for c in claim.comparisons if isinstance(c, PairedComparison) and c.direction == "lower"}
    family = {name: paired_differences(*pair) for own in paired.values() for name, pair in own.items()}
    tests = compare(family, claim.alpha, [name for id_, own in paired.items() if id_ in lower for name in own])
    by_name = {test.name: test for test in tests}
    for comparison in claim.comparisons:
        if isinstance(comparison, PairedComparison) and (own := paired.get(comparison.id)):
            members = tuple(by_name[name] for name in own)
            found[comparison.id] = _paired_verdict(claim, comparison, own, members)
    return [found[comparison.id] for comparison in claim.comparisons]


def _paired_verdict(
    claim: Claim, comparison: PairedComparison, own: dict[str, Pair], tests: tuple[Comparison, ...]
) -> Verdict:
    treatment, reference = (pd.concat([pair[side] for pair in own.values()], axis=1).mean(axis=1) for side in (0, 1))
    differences = paired_differences(treatment, reference)
    low, high = bootstrap_interval(differences, 1 - claim.alpha, generator_from(differences))
    outcomes = [test.outcome for test in tests]
    decision = decision_of([{"better": 1, "worse": -1, "inconclusive": 0}[outcome] for outcome in outcomes])
    reasons = [tests[0].reason] if len(tests) == 1 else _exceptions(tests, decision)
    if comparison.margin is not None and smallest_p(len(differences)) <= claim.alpha:
        p = equivalence_p(differences, comparison.margin)
        if p < claim.alpha:
            reasons.append(
                f"equivalence: the difference lies within ±{comparison.margin:g} (fixed before), p = {p:.2g}"
            )
    return Verdict(
        claim,
        comparison,
        decision,
        "; ".join(filter(None, reasons)),
        n=len(differences),
        mean=float(differences.mean()),
        low=low,
        high=high,
        tests=tests,
    )


def _exceptions(tests: tuple[Comparison, ...], decision: Decision) -> list[str]:
    """The tests that keep a comparison from being reproduced."""
    texts, labels = [], {name: method_label(name) for name in KNOWN_METHODS} | CLASSIFIERS
    for outcome in ("worse", "inconclusive") if decision != "reproduced" else ():
        members = [test for test in tests if test.outcome == outcome]
        names = ", ".join(" ".join(labels.get(part, part) for part in test.name.split("/")[1:]) for test in members)
        common = {test.reason for test in members}
        why = f" ({', '.join(common)})" if len(common) == 1 and common != {""} else ""
        texts += [f"{outcome} for {names}{why}"] * bool(members)
    return texts


def _cost_verdict(claim: Claim, comparison: CostComparison, ratios: dict[int, float]) -> Verdict:
    bound, tolerance = comparison.at_most, comparison.tolerance
    sides = [(r <= bound * (1 - tolerance)) - (r >= bound * (1 + tolerance)) for r in ratios.values()]
    decision = decision_of(sides)
    near = f"a ratio lies within {tolerance:.0%} of the bound {bound:g}"
    return Verdict(claim, comparison, decision, near if decision == "inconclusive" else "", ratios=ratios)


def decision_of(sides: list[int]) -> Decision:
    """From each test's side: 1 as claimed, −1 the other way, 0 undecided."""
    if all(side == 1 for side in sides):
        return "reproduced"
    return "contradicted" if -1 in sides else "inconclusive"
