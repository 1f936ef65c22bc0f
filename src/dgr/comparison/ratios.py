"""Two things that were timed round by round: the median of the ratios within a round, and its interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError


class RatioInterval(NamedTuple):
    """The median ratio and two order statistics of the ratios around it.

    Attributes:
        median, low, high: of the ratios.
        rounds: their number n.
    """

    median: float
    low: float
    high: float
    rounds: int


def ratio_interval(treatment: FloatArray, reference: FloatArray, confidence: float) -> RatioInterval:
    r"""Median of treatment / reference within a round, with the interval :math:`[r_{(j)}, r_{(n+1-j)}]`.

    j is the largest number for which at most (1 − confidence)/2 of a binomial(n, ½) lies below it: the interval covers
    the median whatever the ratios' distribution is (:func:`scipy.stats.quantile_test`; Conover, Practical Nonparametric
    Statistics, 1999, section 3.2). What slows the machine down for a round slows both sides and leaves the ratio.

    Args:
        treatment: seconds by round, shape ``(n,)``, positive.
        reference: the same rounds' seconds.
        confidence: of the interval, in (0, 1).

    Raises:
        DGRError: the two differ in length, a time is not a positive number, or the rounds are too few.
    """
    if treatment.shape != reference.shape or treatment.ndim != 1:
        raise DGRError(f"Ratios need the same rounds on both sides, but got {len(treatment)} and {len(reference)}.")
    times = np.concatenate([treatment, reference])
    if not (np.isfinite(times).all() and (times > 0).all()):
        raise DGRError("Ratios of times need positive numbers of seconds; measure again.")
    ratios = treatment / reference
    needed = int(np.ceil(1 - np.log2(1 - confidence)))
    if len(ratios) < needed:
        raise DGRError(
            f"{len(ratios)} rounds are too few for an interval at {confidence:.3g}: at least {needed} are needed."
        )
    low, high = stats.quantile_test(ratios, p=0.5).confidence_interval(confidence)
    return RatioInterval(float(np.median(ratios)), float(low), float(high), len(ratios))
