"""Two treatments with the same seeds: differences, tests, effect size and interval.

Every function takes finite differences, one a seed, and has a value for all of them equal, all zero, and a single one.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError

RESAMPLES = 9999
NARROW = "of six normal differences it covers the mean in about 88 % of cases"
"""Of :func:`bootstrap_interval`; simulated, see docs/replication.md. Hence a verdict needs the adjusted t-test too."""
SIGNIFICANT_DIGITS = 12
"""Significant digits to which differences count: beyond them, equal values differ by the rounding of their means."""


def paired_differences(treatment: pd.Series, reference: pd.Series) -> FloatArray:
    """Treatment minus reference, seed by seed, in rising order of seeds.

    Args:
        treatment: one value a seed, indexed by seed: shape ``(n,)``.
        reference: likewise.

    Returns:
        Shape ``(n,)``, rounded to :data:`SIGNIFICANT_DIGITS` digits of the larger operand, so that ties are ties.

    Raises:
        DGRError: seeds stand on one side only or twice, there are none, or a value is NaN or infinite.
    """
    for side in (treatment, reference):
        if side.index.has_duplicates:
            raise DGRError(f"Seeds {_list(side.index[side.index.duplicated()])} have several values; keep one a seed.")
        if bad := list(side.index[~np.isfinite(side.to_numpy(dtype=float))]):
            raise DGRError(f"Seeds {_list(bad)} have NaN or infinite values; repeat the runs that gave them.")
    if alone := set(treatment.index) ^ set(reference.index):
        raise DGRError(f"Seeds {_list(alone)} stand on one side of a paired comparison only; run the other side too.")
    if treatment.empty:
        raise DGRError("A paired comparison needs at least one seed.")
    left, right = treatment.sort_index().to_numpy(dtype=float), reference.sort_index().to_numpy(dtype=float)
    largest = max(np.abs(left).max(), np.abs(right).max())
    decimals = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest)) if largest else 0
    return np.asarray(np.round(left - right, decimals), dtype=float) + 0.0


def smallest_p(n: int) -> float:
    """``2^(1−n)``: the smallest two-sided p-value that n differences can give without an assumption on their shape.

    It is that of the exact sign-flip and Wilcoxon tests when all differences have the same sign.
    """
    return float(2.0 ** (1 - n))


def t_test_p(differences: FloatArray) -> FloatArray:
    """Two-sided p-value of the paired t-test.

    Args:
        differences: shape ``(n, …)``; further axes are tests of their own.

    Returns:
        Shape ``(…)``. Where all n differences are equal there is no t: 1 for zeros, else :func:`smallest_p`.
        A single difference gives 1.
    """
    n = len(differences)
    constant = np.ptp(differences, axis=0) == 0
    degenerate = np.where(differences[0] == 0, 1.0, smallest_p(n))
    if constant.all():
        return np.asarray(degenerate)
    with warnings.catch_warnings():  # about the constant columns, replaced below
        warnings.simplefilter("ignore", RuntimeWarning)
        p = stats.ttest_1samp(differences, 0.0, axis=0).pvalue
    return np.where(constant, degenerate, p)


def wilcoxon_p(differences: FloatArray) -> float:
    """Two-sided p-value of the Wilcoxon signed-rank test (zeros by Pratt's rule); 1 when all differences are zero.

    SciPy computes it exactly up to n = 13, with ties and zeros too, and beyond that where there are neither.

    Args:
        differences: shape ``(n,)``.
    """
    return float(stats.wilcoxon(differences, zero_method="pratt").pvalue) if differences.any() else 1.0


def effect_size(differences: FloatArray) -> float:
    """Cohen's ``d_z = mean / sd`` of the differences with Hedges' exact correction of its bias at small n.

    Source: L. V. Hedges, "Distribution theory for Glass's estimator of effect size", J. Educ. Stat. 6 (1981), eq. 6e.

    Args:
        differences: shape ``(n,)``.

    Returns:
        0 when all differences are zero; NaN (undefined) for n < 3 and where they are equal but not zero.
    """
    if not differences.any():
        return 0.0
    if len(differences) < 3 or np.ptp(differences) == 0:
        return math.nan
    half = (len(differences) - 1) / 2
    correction = math.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / math.sqrt(half)
    return float(correction * differences.mean() / differences.std(ddof=1))


def bootstrap_interval(differences: FloatArray, level: float, generator: np.random.Generator) -> tuple[float, float]:
    """BCa bootstrap interval of the mean difference.

    Args:
        differences: shape ``(n,)``.
        level: confidence level, such as 0.95.
        generator: the only source of randomness.

    Returns:
        Low and high end; NaN for n = 1, and the common value twice where all differences are equal.
    """
    if len(differences) < 2:
        return math.nan, math.nan
    if np.ptp(differences) == 0:
        return float(differences[0]), float(differences[0])
    interval = stats.bootstrap(
        (differences,), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="BCa", rng=generator
    ).confidence_interval
    return float(interval.low), float(interval.high)


def equivalence_p(differences: FloatArray, margin: float) -> float:
    """Two one-sided t-tests: p-value for "the mean difference lies within ±margin"; 1 for a single difference.

    Source: D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987).

    Args:
        differences: shape ``(n,)``.
        margin: positive, fixed before the data were seen.
    """
    if len(differences) < 2:
        return 1.0
    if np.ptp(differences) == 0:
        return smallest_p(len(differences)) if abs(differences[0]) < margin else 1.0
    above = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, margin, alternative="less").pvalue
    return float(max(above, below))


def _list(seeds: Iterable[Any]) -> str:
    return ", ".join(map(str, sorted(set(seeds))))
