"""Verdicts on claims that runs decide."""

from __future__ import annotations

import pandas as pd

from dgr.claims.cost import cost_verdict
from dgr.claims.decide import Differences, decide
from dgr.claims.pairs import pairs
from dgr.claims.schema import AnyComparison, Claim, Claims, CostComparison, PairedComparison
from dgr.claims.verdict import Decision, Verdict
from dgr.comparison import Comparison, paired_differences
from dgr.records.names import KNOWN_CLASSIFIERS, classifier_label, method_label
from dgr.records.records import Records


def run_verdicts(records: Records, claims: Claims) -> list[Verdict]:
    """The verdict on every comparison of every claim, in the order of the file.

    Args:
        records: of one data set and architecture.
        claims: claims whose comparisons are of kind ``paired`` or ``cost``.

    Raises:
        DGRError: a value is NaN or infinite. Missing records are no error: the verdict is 'not run' and names them.
    """

    def look_up(claim: Claim, comparison: AnyComparison) -> Differences | Verdict:
        if isinstance(comparison, CostComparison):
            return cost_verdict(records.costs, claim, comparison)
        assert isinstance(comparison, PairedComparison)
        return _differences(records, comparison)

    return [verdict for claim in claims.claims for verdict in decide(claim, look_up, _exceptions)]


def _differences(records: Records, comparison: PairedComparison) -> Differences:
    own = pairs(records, comparison)
    treatment, reference = (pd.concat([pair[side] for pair in own.values()], axis=1).mean(axis=1) for side in (0, 1))
    tests = {name: paired_differences(*pair) for name, pair in own.items()}
    return Differences(tests, average=paired_differences(treatment, reference))


def _exceptions(tests: tuple[Comparison, ...], decision: Decision) -> list[str]:
    """The tests that keep a comparison from being reproduced."""
    if len(tests) == 1:
        return [tests[0].reason]
    texts = []
    for outcome in ("worse", "inconclusive") if decision != "reproduced" else ():
        members = [test for test in tests if test.outcome == outcome]
        names = ", ".join(" ".join(map(_label, test.name.split("/")[1:])) for test in members)
        common = {test.reason for test in members}
        why = f" ({', '.join(common)})" if len(common) == 1 and common != {""} else ""
        texts += [f"{outcome} for {names}{why}"] * bool(members)
    return texts


def _label(name: str) -> str:
    """Of a method or a classifier, whose names never coincide."""
    return classifier_label(name) if name in KNOWN_CLASSIFIERS else method_label(name)
