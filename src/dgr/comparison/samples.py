"""What the choice of test samples adds to the uncertainty, where samples are pairs that share their sources.

Pairs are no independent samples: one hard digit is in many of them, in every seed. So sources are drawn, not pairs: a
source that was drawn c times counts c times, and a pair as often as the product of its two sources' counts. Source:
A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007); its variance is, if anything, too large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError

DRAWS_OF_SOURCES = 1000
STREAM = 1
"""Seed of the draws: one for all data, so that data that differ by rounding have errors that do so too."""


@dataclass(frozen=True)
class SampleUncertainty:
    """Of a mean difference over seeds, from other test samples of the same kind; the trained models stay.

    Attributes:
        standard_error: standard deviation over resampled sources.
        low, high: percentile interval.
    """

    standard_error: float
    low: float
    high: float


def sample_uncertainty(
    differences: Sequence[FloatArray], sources: Sequence[NDArray[Any]], level: float = 0.95
) -> SampleUncertainty:
    """Pigeonhole bootstrap of ``mean_s Σ_p w_p d_sp / Σ_p w_p`` with ``w_p = c_{left(p)} · c_{right(p)}``.

    Args:
        differences: of each seed, treatment minus reference of each pair, such as right answers: shape ``(pairs,)``.
        sources: of each seed, the ids of both sources of each pair, from one pool for all seeds: shape ``(pairs, 2)``.
        level: confidence level of the interval.

    Raises:
        DGRError: shapes do not fit, or there are fewer than two sources.
    """
    for seed, (values, ids) in enumerate(zip(differences, sources, strict=True)):
        if ids.shape != (len(values), 2) or not len(values):
            raise DGRError(f"Test set {seed} has {len(values)} differences for sources of shape {ids.shape}.")
    ids, where = np.unique(np.concatenate(list(sources)), return_inverse=True)
    if len(ids) < 2:
        raise DGRError("Test samples that come from a single source say nothing of other sources.")
    left, right = where.reshape(-1, 2).T
    values, starts = np.concatenate(list(differences)), np.cumsum([0, *map(len, differences[:-1])])
    generator = np.random.default_rng(STREAM)
    means = np.empty(DRAWS_OF_SOURCES)
    for index in range(DRAWS_OF_SOURCES):
        count = np.bincount(generator.integers(0, len(ids), len(ids)), minlength=len(ids)).astype(float)
        weight = count[left] * count[right]
        total = np.add.reduceat(weight, starts)
        # A small test set may be left without any pair; then the other seeds speak.
        kept = total > 0
        means[index] = (np.add.reduceat(weight * values, starts)[kept] / total[kept]).mean()
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return SampleUncertainty(float(means.std(ddof=1)), float(low), float(high))
