"""A family of paired comparisons: what its tests, corrected for one another, may be said to show."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

import numpy as np

from dgr.comparison.family_wise import holm, holm_levels
from dgr.comparison.paired import effect_size, smallest_p
from dgr.comparison.sign_flip import sign_flip_p
from dgr.comparison.signed_rank import pseudo_median, signed_rank_equivalence_p, signed_rank_interval, wilcoxon_p
from dgr.comparison.t_based import detectable_difference, equivalence_p, has_spread, student_interval, t_test_p
from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError

Statistic = Literal["mean", "median"]
TestOutcome = Literal["positive", "negative", "equivalent", "undecided"]


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
        low, high: the interval that decides; NaN where there is none.
        confidence: of that interval.
        level: at which Holm's method tests this member for a difference.
        effect: Hedges-corrected d_z.
        p: two-sided, not adjusted, of the deciding test.
        holm_p: the same, adjusted over the family.
        sign_flip_p, wilcoxon_p: of tests without an assumption of normality, two-sided, not adjusted.
        equivalence_p: of two one-sided tests against the region, not adjusted.
        holm_equivalence_p: the same, adjusted over the family's tests of equivalence.
        detectable: the smallest true difference that these seeds find with probability .8 at this level; NaN without
            a spread, and where the signed-rank test decides: heavy tails blow up the standard deviation it is made of.
        outcome: on which side of zero the difference is shown to lie, or that it lies within the region, or neither.
        reason: why it is undecided, else empty.
    """

    n: int
    estimate: float
    low: float
    high: float
    confidence: float
    level: float
    effect: float
    p: float
    holm_p: float
    sign_flip_p: float
    wilcoxon_p: float
    equivalence_p: float
    holm_equivalence_p: float
    detectable: float
    outcome: TestOutcome
    reason: str


def region_text(region: float, digits: int = 0) -> str:
    """``±0.0005``: with every decimal that a region was given, and with ``digits`` at least."""
    given = Decimal(f"{region:.6g}").normalize().as_tuple().exponent
    return f"±{region:.{max(digits, -int(given))}f}"


def compare(family: Mapping[str, Planned], alpha: float) -> dict[str, Comparison]:
    """Test every member of a family for a difference and for equivalence; the interval is the deciding test's own.

    Both kinds of tests keep the error α over the family, each by Holm's method on its own p-values: a difference is
    said to exist wrongly, or to be irrelevant wrongly, in at most a share α of families. Equivalence comes first:

    * Equivalent: two one-sided tests (TOST) against ±region reject at their level ``a``. The interval has confidence
      1 − 2a and lies within the region.
    * Else positive or negative: the test for a difference rejects at its level ``a``. The interval has confidence
      1 − a and leaves out zero.
    * Else undecided, with the wider of these two intervals: it holds zero, and it is not within the region.

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
    reasons = [_unfit(planned, alpha) for planned in family.values()]
    of_difference = _Corrected(family, reasons, _difference_p, alpha)
    of_equivalence = _Corrected(family, reasons, _equivalence_p, alpha)
    return {
        name: _comparison(planned, reason, of_difference.of(index), of_equivalence.of(index))
        for index, ((name, planned), reason) in enumerate(zip(family.items(), reasons, strict=True))
    }


@dataclass(frozen=True)
class _Corrected:
    """One kind of test over a whole family."""

    family: Mapping[str, Planned]
    reasons: list[str]
    test: Callable[[Planned], float]
    alpha: float

    @cached_property
    def _p(self) -> FloatArray:
        members = zip(self.family.values(), self.reasons, strict=True)
        return np.array([1.0 if reason else self.test(planned) for planned, reason in members])

    def of(self, index: int) -> _Tested:
        """A member's result."""
        level = float(holm_levels(self._p, self.alpha)[index])
        return _Tested(float(self._p[index]), float(holm(self._p)[index]), level)


@dataclass(frozen=True)
class _Tested:
    """p-value, the same adjusted over the family, and the level that the former is compared with."""

    p: float
    adjusted: float
    level: float

    @property
    def rejects(self) -> bool:
        return self.p < self.level


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


def _difference_p(planned: Planned) -> float:
    return t_test_p(planned.differences) if planned.statistic == "mean" else wilcoxon_p(planned.differences)


def _equivalence_p(planned: Planned) -> float:
    test = equivalence_p if planned.statistic == "mean" else signed_rank_equivalence_p
    return test(planned.differences, planned.region)


def _comparison(planned: Planned, reason: str, difference: _Tested, equivalence: _Tested) -> Comparison:
    values, of_mean = planned.differences, planned.statistic == "mean"
    of_equivalence, of_difference = 1 - 2 * equivalence.level, 1 - difference.level
    if equivalence.rejects:
        confidence = of_equivalence
    else:
        confidence = of_difference if difference.rejects else max(of_equivalence, of_difference)
    low, high = math.nan, math.nan
    if not reason:
        low, high = (student_interval if of_mean else signed_rank_interval)(values, confidence)
    outcome: TestOutcome = "undecided"
    if equivalence.rejects:
        outcome = "equivalent"
    elif difference.rejects:
        outcome = "positive" if low > 0 else "negative"
    elif not reason:
        reason = f"the interval holds zero and is not within {region_text(planned.region)}"
    return Comparison(
        n=len(values),
        estimate=float(values.mean()) if of_mean else pseudo_median(values),
        low=low,
        high=high,
        confidence=confidence,
        level=difference.level,
        effect=effect_size(values),
        p=difference.p,
        holm_p=difference.adjusted,
        sign_flip_p=sign_flip_p(values),
        wilcoxon_p=wilcoxon_p(values),
        equivalence_p=equivalence.p,
        holm_equivalence_p=equivalence.adjusted,
        detectable=detectable_difference(values, difference.level) if of_mean else math.nan,
        outcome=outcome,
        reason=reason,
    )
