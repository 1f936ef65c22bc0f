"""Holm's correction of a family of tests, and the intervals that say what it says."""

from __future__ import annotations

import numpy as np

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError


def holm(p: FloatArray) -> FloatArray:
    """Holm's step-down adjustment, which keeps the family-wise error under any dependence.

    ``p̃_(i) = min(1, max_{j ≤ i} (m − j + 1) p_(j))`` for the m sorted p-values. Source: S. Holm, "A simple
    sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979).

    Args:
        p: shape ``(…, m)``; the last axis is the family.

    Returns:
        Shape ``(…, m)``, in the order of ``p``.

    Raises:
        DGRError: a p-value is NaN.
    """
    if np.isnan(p).any():
        raise DGRError("Holm's adjustment is not defined for NaN p-values; compare finite metrics only.")
    order = np.argsort(p, axis=-1, kind="stable")
    stepped = np.take_along_axis(p, order, -1) * np.arange(p.shape[-1], 0, -1)
    adjusted = np.empty_like(stepped)
    np.put_along_axis(adjusted, order, np.minimum(np.maximum.accumulate(stepped, axis=-1), 1.0), -1)
    return adjusted


def holm_levels(p: FloatArray, alpha: float) -> FloatArray:
    """The level at which Holm's method tests each member of a family.

    The member of rank j (rising p) is tested at ``α/(m − j + 1)``; after the first that is not rejected, all stay at
    the level of that one. So ``p < level`` holds exactly for what Holm's method rejects, and an interval of confidence
    1 − level leaves out zero exactly there. Each interval is at least as wide as one that is not adjusted; the
    smallest p gets Bonferroni's. Source: R. C. Serlin, "Confidence intervals and the scientific method", Journal of
    Experimental Education 61 (1993).

    Args:
        p: shape ``(m,)``.
        alpha: the family-wise error.

    Returns:
        Shape ``(m,)``, in the order of ``p``.
    """
    levels = np.empty(len(p))
    level, stopped = alpha, False
    for step, member in enumerate(np.argsort(p, kind="stable")):
        if not stopped:
            level = alpha / (len(p) - step)
            stopped = bool(p[member] >= level)
        levels[member] = level
    return levels
