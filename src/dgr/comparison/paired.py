"""Two treatments with the same seeds: their differences, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError

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

    It is that of the exact sign-flip and signed-rank tests when all differences have the same sign.
    """
    return float(2.0 ** (1 - n))


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


def _list(seeds: Iterable[Any]) -> str:
    return ", ".join(map(str, sorted(set(seeds))))
