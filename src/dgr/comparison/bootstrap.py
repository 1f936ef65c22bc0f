"""The BCa bootstrap, where it has enough seeds to cover what it says."""

from __future__ import annotations

import numpy as np
from scipy import stats

from dgr.comparison.t_based import has_spread
from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError

RESAMPLES = 9999
LEAST_SEEDS = 20
"""Seeds from which on the interval's coverage is near its level, see docs/statistics.md."""


def bootstrap_interval(differences: FloatArray, level: float, generator: np.random.Generator) -> tuple[float, float]:
    """BCa bootstrap interval of the mean difference.

    Source: B. Efron, "Better bootstrap confidence intervals", JASA 82 (1987).

    Args:
        differences: shape ``(n,)``.
        level: confidence level, such as 0.95.
        generator: the only source of randomness.

    Returns:
        Low and high end; the common value twice where all differences are equal.

    Raises:
        DGRError: fewer than 20 differences.
    """
    if len(differences) < LEAST_SEEDS:
        raise DGRError(
            f"A BCa interval of {len(differences)} differences is too narrow; use the t-interval below {LEAST_SEEDS}."
        )
    if not has_spread(differences):
        return float(differences[0]), float(differences[0])
    interval = stats.bootstrap(
        (differences,), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="BCa", rng=generator
    ).confidence_interval
    return float(interval.low), float(interval.high)
