"""A family of paired comparisons: Holm's correction, and what each of them may be said to show."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dgr.comparison.paired import (
    bootstrap_interval,
    effect_size,
    smallest_p,
    t_test_p,
    wilcoxon_p,
)
from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError

Outcome = Literal["better", "worse", "inconclusive"]


@dataclass(frozen=True)
class Comparison:
    """One member of a family.

    Attributes:
        name: unique in the family.
        n: differences, one a seed.
        mean, low, high: mean difference and the ends of its BCa interval at level 1 − α, not adjusted for the family.
        effect: Hedges-corrected d_z.
        t_p, wilcoxon_p: two-sided, not adjusted.
        holm_p: the t-test's p-value, adjusted over the family by Holm's method.
        outcome: whether the treatment is better, worse, or neither is shown.
        reason: why it is inconclusive, else empty.
    """

    name: str
    n: int
    mean: float
    low: float
    high: float
    effect: float
    t_p: float
    wilcoxon_p: float
    holm_p: float
    outcome: Outcome
    reason: str


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


def compare(
    differences: Mapping[str, FloatArray], alpha: float, lower_is_better: Collection[str] = ()
) -> list[Comparison]:
    """Test every member of a family.

    A member is better (or worse) when its Holm-adjusted p-value is below α and its interval lies on that side of zero;
    anything else is inconclusive. So is every n at which no test that is free of assumptions can fall below α
    (:func:`smallest_p`): a verdict would rest on the assumed normality alone.

    Args:
        differences: treatment minus reference by name, each of shape ``(n,)``; n may differ.
        alpha: the family-wise error.
        lower_is_better: the names of members whose negative differences are improvements.
    """
    if not differences:
        return []
    t_p = [float(t_test_p(values)) for values in differences.values()]
    rows = []
    for (name, values), p, holm_p in zip(differences.items(), t_p, holm(np.array(t_p)), strict=True):
        low, high = bootstrap_interval(values, 1 - alpha, generator_from(values))
        outcome, reason = _outcome(values, low, high, float(holm_p), alpha, name not in lower_is_better)
        rows.append(
            Comparison(
                name=name,
                n=len(values),
                mean=float(values.mean()),
                low=low,
                high=high,
                effect=effect_size(values),
                t_p=p,
                wilcoxon_p=wilcoxon_p(values),
                holm_p=float(holm_p),
                outcome=outcome,
                reason=reason,
            )
        )
    return rows


def generator_from(differences: FloatArray) -> np.random.Generator:
    """A generator seeded by the differences themselves: the same data have the same interval in every table."""
    return np.random.default_rng(list(hashlib.sha256(differences.tobytes()).digest()))


def _outcome(
    values: FloatArray, low: float, high: float, holm_p: float, alpha: float, higher_is_better: bool
) -> tuple[Outcome, str]:
    n, least = len(values), smallest_p(len(values))
    if n == 1:
        return "inconclusive", "a single seed has no spread"
    if least > alpha:
        return "inconclusive", f"n = {n} is too small: without assuming normality p cannot fall below {least:.2g}"
    if not values.any():
        return "inconclusive", "all differences are zero"
    if holm_p >= alpha:
        return "inconclusive", f"the adjusted p of {holm_p:.2g} is not below {alpha:g}"
    if low <= 0 <= high:
        return "inconclusive", "the interval includes zero although the adjusted p is small"
    return ("better" if (low > 0) == higher_is_better else "worse"), ""
