"""A family of paired comparisons: what its tests, corrected for one another, may be said to show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dgr.comparison.holm import holm, holm_levels
from dgr.comparison.paired import effect_size, smallest_p
from dgr.comparison.sign_flip import sign_flip_p
from dgr.comparison.signed_rank import pseudo_median, signed_rank_interval, wilcoxon_p
from dgr.comparison.t_based import detectable_difference, equivalence_p, has_spread, t_interval, t_test_p
from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError

Statistic = Literal["mean", "median"]
Outcome = Literal["positive", "negative", "equivalent", "undecided"]


@dataclass(frozen=True)
class Planned:
    """A test as it was planned, with its data.

    Attributes:
        differences: treatment minus reference, one a seed: shape ``(n,)``.
        region: a true difference within ±region is too small to matter.
        statistic: what is estimated and tested: the mean (t-test), or the pseudo-median (signed-rank test).
        invalid: why nothing may be concluded from these data, whatever the test says; empty where all is well.
    """

    differences: FloatArray
    region: float
    statistic: Statistic = "mean"
    invalid: str = ""


@dataclass(frozen=True)
class Comparison:
    """One member of a family.

    Attributes:
        n: differences, one a seed.
        estimate: mean difference, or pseudo-median.
        low, high: the interval that decides, of confidence 1 − level; NaN where there is none.
        level: at which Holm's method tests this member.
        effect: Hedges-corrected d_z.
        p: two-sided, not adjusted, of the deciding test.
        holm_p: the same, adjusted over the family.
        sign_flip_p, wilcoxon_p: of tests without an assumption of normality, two-sided, not adjusted.
        equivalence_p: of two one-sided t-tests against the region, not adjusted.
        detectable: the smallest true difference that these seeds find with probability .8 at this level; NaN without
            a spread.
        outcome: on which side of zero the difference is shown to lie, or that it lies within the region, or neither.
        reason: why it is undecided, else empty.
    """

    n: int
    estimate: float
    low: float
    high: float
    level: float
    effect: float
    p: float
    holm_p: float
    sign_flip_p: float
    wilcoxon_p: float
    equivalence_p: float
    detectable: float
    outcome: Outcome
    reason: str


def compare(family: Mapping[str, Planned], alpha: float) -> dict[str, Comparison]:
    """Test every member of a family; the interval of each decides, and nothing else.

    It lies within ±region: equivalent. Else it leaves out zero: positive or negative. Else undecided. Its confidence
    is one minus the level at which Holm's method tests the member (:func:`~dgr.comparison.holm.holm_levels`). So a
    difference is shown exactly where Holm's method rejects, and "equivalent" is a TOST at half of that level.

    A member is undecided as well where its data are invalid, have no spread, or are fewer than any test without an
    assumption of normality needs (:func:`~dgr.comparison.paired.smallest_p` above α). It counts in the family all the
    same: who drops a test after looking pays for it.

    Args:
        family: by name; sizes may differ.
        alpha: the family-wise error.

    Raises:
        DGRError: a difference is NaN or infinite, or a region is not positive.
    """
    for name, planned in family.items():
        if not np.isfinite(planned.differences).all():
            raise DGRError(f"{name} has NaN or infinite differences; repeat the runs that gave them.")
    reasons = {name: _unfit(planned, alpha) for name, planned in family.items()}
    p = np.array([1.0 if reasons[name] else _p(planned) for name, planned in family.items()])
    levels, adjusted = holm_levels(p, alpha), holm(p)
    return {
        name: _comparison(planned, reasons[name], float(own), float(level), float(with_others))
        for (name, planned), own, level, with_others in zip(family.items(), p, levels, adjusted, strict=True)
    }


def _unfit(planned: Planned, alpha: float) -> str:
    """Why no test of these data means anything; empty where one does."""
    n = len(planned.differences)
    if planned.invalid:
        return planned.invalid
    if n == 1:
        return "a single seed has no spread"
    if smallest_p(n) > alpha:
        return f"n = {n} is too small: without assuming normality p cannot fall below {smallest_p(n):.2g}"
    if not has_spread(planned.differences):
        return f"all {n} seeds have the same difference, so that there is no spread to test it by"
    return ""


def _p(planned: Planned) -> float:
    return t_test_p(planned.differences) if planned.statistic == "mean" else wilcoxon_p(planned.differences)


def _comparison(planned: Planned, reason: str, p: float, level: float, holm_p: float) -> Comparison:
    values, of_mean = planned.differences, planned.statistic == "mean"
    low, high = math.nan, math.nan
    if not reason:
        low, high = (t_interval if of_mean else signed_rank_interval)(values, 1 - level)
    outcome: Outcome = "undecided"
    if -planned.region < low and high < planned.region:
        outcome = "equivalent"
    elif low > 0 or high < 0:
        outcome = "positive" if low > 0 else "negative"
    elif not reason:
        reason = f"the interval holds zero and is not within ±{planned.region:g}"
    return Comparison(
        n=len(values),
        estimate=float(values.mean()) if of_mean else pseudo_median(values),
        low=low,
        high=high,
        level=level,
        effect=effect_size(values),
        p=p,
        holm_p=holm_p,
        sign_flip_p=sign_flip_p(values),
        wilcoxon_p=wilcoxon_p(values),
        equivalence_p=equivalence_p(values, planned.region),
        detectable=detectable_difference(values, level),
        outcome=outcome,
        reason=reason,
    )
