"""Ratios of seconds per step against a bound; measured once, so decided by a tolerance and not by a test."""

from __future__ import annotations

import pandas as pd

from dgr.claims.pairs import cell_label
from dgr.claims.schema import Claim, CostComparison, CostSide
from dgr.claims.verdict import Decision, NotRunError, Verdict
from dgr.config.runs import RELEASED
from dgr.core.errors import DGRError

WITH_DUMMIES = ("dgr", RELEASED)


def cost_verdict(costs: pd.DataFrame, claim: Claim, comparison: CostComparison) -> Verdict:
    """The verdict on one comparison; arguments and errors as for :func:`cost_ratios`."""
    ratios, bound, tolerance = cost_ratios(costs, comparison), comparison.at_most, comparison.tolerance
    sides = {(r <= bound * (1 - tolerance)) - (r >= bound * (1 + tolerance)) for r in ratios.values()}
    decision: Decision = "supported" if sides == {1} else "opposite" if -1 in sides else "undecided"
    near = f"a ratio lies within {tolerance:.0%} of the bound {bound:g}"
    return Verdict(claim, comparison, decision, near if decision == "undecided" else "", ratios=ratios)


def cost_ratios(costs: pd.DataFrame, comparison: CostComparison) -> dict[int, float]:
    """Seconds per step of the treatment over those of the reference, by number of dummies.

    Args:
        costs: ``costs.csv``, narrowed to one data set and architecture.
        comparison: what to divide by what.

    Raises:
        NotRunError: a measurement is missing.
        DGRError: a measurement stands there twice or is not a positive number.
    """
    treatment, reference = (_seconds(costs, side) for side in (comparison.treatment, comparison.reference))
    wanted = sorted(treatment) if comparison.num_dummies is None else [comparison.num_dummies]
    if comparison.reference.regularizer not in WITH_DUMMIES:
        reference = dict.fromkeys(wanted, *reference.values()) if reference else {}
    for side, seconds in ((comparison.treatment, treatment), (comparison.reference, reference)):
        if not wanted or set(wanted) - set(seconds):
            numbers = f" (num_dummies {', '.join(map(str, wanted))})" if wanted else ""
            raise NotRunError(f"no cost measurement of {cell_label(side.method, side.regularizer)}{numbers}")
    return {number: treatment[number] / reference[number] for number in wanted}


def _seconds(costs: pd.DataFrame, side: CostSide) -> dict[int, float]:
    """By number of dummies; 0 where there are none."""
    rows = costs[(costs["method"] == side.method) & (costs["regularizer"] == side.regularizer)]
    numbers = rows["num_dummies"].fillna(0).astype(int) * (side.regularizer in WITH_DUMMIES)
    if numbers.duplicated().any() or not (rows["seconds_per_step"] > 0).all():
        raise DGRError(
            f"The cost of {cell_label(side.method, side.regularizer)} is measured twice or not positive; measure again."
        )
    return dict(zip(numbers, rows["seconds_per_step"], strict=True))
