"""What follows from Student's t for paired differences: test, interval, equivalence, power.

All take finite differences, one a seed. The t-test needs a spread: of a single difference, or of equal ones, it says
nothing (p = 1, no interval), whatever their size.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy import optimize, stats

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError

POWER = 0.8
"""With which :func:`detectable_difference` is found."""


def has_spread(differences: FloatArray) -> bool:
    """Whether there is anything that a test over seeds could weigh: two seeds at least, and not all of them equal."""
    return len(differences) > 1 and bool(np.ptp(differences) > 0)


def t_test_p(differences: FloatArray) -> float:
    """Two-sided p-value of the paired t-test, ``t = mean / (sd / √n)`` with n − 1 degrees of freedom.

    Args:
        differences: shape ``(n,)``.
    """
    return float(stats.ttest_1samp(differences, 0.0).pvalue) if has_spread(differences) else 1.0


def student_interval(differences: FloatArray, level: float) -> tuple[float, float]:
    """``mean ± t_{(1+level)/2, n−1} · sd / √n``.

    Args:
        differences: shape ``(n,)``.
        level: confidence level, such as 0.95.

    Returns:
        Low and high end; NaN without a spread.
    """
    if not has_spread(differences):
        return math.nan, math.nan
    half = float(stats.t.ppf((1 + level) / 2, len(differences) - 1) * stats.sem(differences))
    mean = float(differences.mean())
    return mean - half, mean + half


def equivalence_p(differences: FloatArray, region: float) -> float:
    """Two one-sided t-tests (TOST): p-value for "the mean difference lies within ±region".

    It is below α exactly where :func:`student_interval` of level 1 − 2α lies within the region. Source: D. J.
    Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987).

    Args:
        differences: shape ``(n,)``.
        region: positive, fixed before the data were seen.

    Raises:
        DGRError: the region is not positive.
    """
    if not region > 0:
        raise DGRError(f"A region of equivalence must be positive, not {region:g}.")
    if not has_spread(differences):
        return 1.0
    above = stats.ttest_1samp(differences, -region, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, region, alternative="less").pvalue
    return float(max(above, below))


def t_test_power(effect: float, n: int, alpha: float) -> float:
    """Probability that the two-sided paired t-test rejects.

    ``t`` is then noncentral with parameter ``effect · √n`` and n − 1 degrees of freedom.

    Args:
        effect: true mean over true standard deviation of the differences.
        n: seeds.
        alpha: level.
    """
    critical, shift = stats.t.ppf(1 - alpha / 2, n - 1), effect * math.sqrt(n)
    other_side = stats.nct.cdf(-critical, n - 1, abs(shift))
    # SciPy gives NaN for that tail where it is below 1e-7.
    return float(stats.nct.sf(critical, n - 1, abs(shift)) + np.nan_to_num(other_side))


@cache
def detectable_effect(n: int, alpha: float, power: float = POWER) -> float:
    """The smallest true effect, in standard deviations of a difference, that n seeds find with that probability.

    Args:
        n: seeds, at least two.
        alpha: two-sided level of the test.
        power: probability of rejecting.

    Raises:
        DGRError: a single seed, with which nothing can be found.
    """
    if n < 2:
        raise DGRError("A single seed finds no difference of any size; configure more seeds.")

    def missing(effect: float) -> float:
        return t_test_power(effect, n, alpha) - power

    high = 1.0
    while missing(high) < 0:
        high *= 2
    return float(optimize.brentq(missing, 0.0, high, xtol=1e-10))


def detectable_difference(differences: FloatArray, alpha: float, power: float = POWER) -> float:
    """:func:`detectable_effect` times the standard deviation found, in the unit of the differences; NaN without one."""
    if not has_spread(differences):
        return math.nan
    return detectable_effect(len(differences), alpha, power) * float(differences.std(ddof=1))
