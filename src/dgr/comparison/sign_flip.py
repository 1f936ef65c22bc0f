"""The sign-flip test: exact without any assumption but that a difference of −d is as likely as one of d."""

from __future__ import annotations

import numpy as np

from dgr.core.arrays import FloatArray

EXACT_UP_TO = 32
"""n up to which all 2ⁿ assignments of signs are counted."""
FLIPS = 100_000
"""Random assignments beyond that."""
TIES = 1e-9
"""Sums that differ by less than this share of Σ|d| are equal: equal differences must not differ by rounding."""


def sign_flip_p(differences: FloatArray) -> float:
    """Two-sided p-value: the share of all assignments of signs s with ``|Σ s_i d_i| ≥ |Σ d_i|``.

    Up to n = 32 it counts all of them: the sums of either half of the differences are sorted, and for each sum of one
    half two look-ups count its partners. Beyond, 10⁵ random assignments stand for all, the same for every n,
    as (k + 1)/(10⁵ + 1). Source: R. A. Fisher, "The Design of Experiments" (1935), section 21; for
    random assignments, Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010).

    Args:
        differences: shape ``(n,)``.

    Returns:
        At least ``2^(1−n)``; 1 where all differences are zero.
    """
    total, slack = abs(float(differences.sum())), TIES * float(np.abs(differences).sum())
    if slack == 0:
        return 1.0
    if len(differences) > EXACT_UP_TO:
        generator = np.random.default_rng(len(differences))
        signs = generator.integers(0, 2, (FLIPS, len(differences)), dtype=np.int8) * 2 - 1
        extreme = int((np.abs(signs @ differences) >= total - slack).sum())
        return (extreme + 1) / (FLIPS + 1)
    half = len(differences) // 2
    first, second = _sums(differences[:half]), np.sort(_sums(differences[half:]))
    above = len(second) - np.searchsorted(second, total - slack - first, side="left")
    below = np.searchsorted(second, -(total - slack) - first, side="right")
    # Where the total is zero, both counts hold every assignment.
    return min(1.0, float((above + below).sum()) / 2.0 ** len(differences))


def _sums(values: FloatArray) -> FloatArray:
    """Σ s_i d_i of every assignment of signs: shape ``(2^n,)``."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums
