"""Ratios of seconds per step against a bound: the interval of the ratio within a round decides."""

from __future__ import annotations

import pandas as pd

from dgr.claims.comparisons import CostComparison, CostSide
from dgr.claims.pairs import cell_label
from dgr.claims.schema import Claim
from dgr.claims.verdict import Decision, NotRunError, Verdict
from dgr.config.runs import RELEASED
from dgr.measurements.cost_case import Case
from dgr.records.step_costs import seconds_by_round, within_rounds

WITH_DUMMIES = ("dgr", RELEASED)
LEAST_ROUNDS = 30
LEAST_SECONDS = 0.05
"""Of a reference's step: of a shorter one, what stands around the model takes a large part."""


def cost_verdict(costs: pd.DataFrame, claim: Claim, comparison: CostComparison) -> Verdict:
    """The verdict on one comparison; confidence is 1 − α/m, for the m comparisons of costs of the claim.

    Args:
        costs: ``costs.csv``, narrowed to one data set and architecture.
        claim: to which the comparison belongs.
        comparison: what to divide by what.

    Raises:
        NotRunError: nothing was measured on the comparison's architecture, or not both sides.
        DGRError: a case has not every round once, or a time is not a positive number.
    """
    own = costs[costs["architecture"] == comparison.architecture]
    if own.empty:
        raise NotRunError(f"no cost measurement of {comparison.architecture}")
    treatment, reference = (_case(side, comparison) for side in (comparison.treatment, comparison.reference))
    seconds = seconds_by_round(own)
    for case in (treatment, reference):
        if case not in seconds:
            numbers = f" (num_dummies {case.dummies})" if case.dummies else ""
            raise NotRunError(f"no cost measurement of {cell_label(case.method, case.regularizer)}{numbers}")
    rounds, step = len(seconds[reference]), float(pd.Series(seconds[reference]).median())
    if rounds < LEAST_ROUNDS:
        return Verdict(claim, comparison, "undecided", f"{rounds} rounds are fewer than {LEAST_ROUNDS}")
    family = sum(isinstance(one, CostComparison) for one in claim.comparisons)
    ratio = within_rounds(own, treatment, reference, 1 - claim.alpha / family)
    if step < LEAST_SECONDS:
        reason = f"a step of {1000 * step:.1f} ms is too short to say what the model costs"
        return Verdict(claim, comparison, "undecided", reason, ratio=ratio)
    decision: Decision = "undecided"
    if ratio.high <= comparison.at_most:
        decision = "supported"
    elif ratio.low > comparison.at_most:
        decision = "opposite"
    reason = f"the interval holds the bound {comparison.at_most:g}" if decision == "undecided" else ""
    return Verdict(claim, comparison, decision, reason, ratio=ratio)


def _case(side: CostSide, comparison: CostComparison) -> Case:
    return Case(side.method, side.regularizer, comparison.num_dummies if side.regularizer in WITH_DUMMIES else 0)
