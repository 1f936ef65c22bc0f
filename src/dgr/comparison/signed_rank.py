"""The signed-rank test with the estimate and the interval that belong to it, for differences with heavy tails.

Walsh averages are ``(d_i + d_j)/2`` for i ≤ j. Their median estimates the pseudo-median (the median, where differences
are symmetric), and the number of positive ones is Wilcoxon's statistic W. Source: J. L. Hodges and E. L. Lehmann, Ann.
Math. Statist. 34 (1963); M. Hollander, D. Wolfe, E. Chicken, "Nonparametric Statistical Methods" (2014), section 3.
"""

from __future__ import annotations

import math

import numpy as np

from dgr.comparison.t_based import has_spread
from dgr.core.arrays import FloatArray


def pseudo_median(differences: FloatArray) -> float:
    """The Hodges–Lehmann estimate: the median of the Walsh averages; of shape ``(n,)``."""
    return float(np.median(_walsh_averages(differences)))


def wilcoxon_p(differences: FloatArray) -> float:
    """Two-sided p-value of the Wilcoxon signed-rank test, from the exact distribution of W for any n.

    Walsh averages of zero count for whichever side makes p larger, so that zeros and ties never make it small.

    Args:
        differences: shape ``(n,)``.
    """
    averages = _walsh_averages(differences)
    positive = np.clip(len(averages) / 2, (averages > 0).sum(), (averages >= 0).sum())
    tail = math.floor(min(positive, len(averages) - positive))
    return min(1.0, 2 * float(_distribution(len(differences))[tail]))


def signed_rank_equivalence_p(differences: FloatArray, region: float) -> float:
    """Two one-sided signed-rank tests: p-value for "the pseudo-median lies within ±region".

    It is below α exactly where :func:`signed_rank_interval` of level 1 − 2α lies within the region.

    Args:
        differences: shape ``(n,)``.
        region: positive.
    """
    if not has_spread(differences) or abs(pseudo_median(differences)) >= region:
        return 1.0
    return max(wilcoxon_p(differences + region), wilcoxon_p(differences - region)) / 2


def signed_rank_interval(differences: FloatArray, level: float) -> tuple[float, float]:
    """The values that the signed-rank test does not reject as pseudo-median at level 1 − ``level``.

    Their ends are the Walsh averages of order k and m + 1 − k, with the largest k for which ``2 P(W < k) ≤ 1 − level``.

    Args:
        differences: shape ``(n,)``.
        level: confidence level.

    Returns:
        Low and high end; NaN without a spread, or where n is too small for the level.
    """
    if not has_spread(differences):
        return math.nan, math.nan
    averages = np.sort(_walsh_averages(differences))
    k = int((2 * _distribution(len(differences)) <= 1 - level).sum())
    if k == 0:
        return math.nan, math.nan
    return float(averages[k - 1]), float(averages[-k])


def _walsh_averages(differences: FloatArray) -> FloatArray:
    first, second = np.triu_indices(len(differences))
    return np.asarray((differences[first] + differences[second]) / 2)


def _distribution(n: int) -> FloatArray:
    """P(W ≤ w) under symmetry about zero, for w from 0 to n(n+1)/2: each rank is in the sum with probability ½."""
    probability = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(probability) + rank)
        longer[: len(probability)] += probability / 2
        longer[rank:] += probability / 2
        probability = longer
    return np.cumsum(probability)
