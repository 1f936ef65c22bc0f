"""What several methods say together: methods are not replicates of a seed, nor seeds of a method.

The model of the difference of method m in seed s is ``d_ms = μ + a_m + b_s + e_ms`` with independent normal effects of
methods, of seeds, and a rest: a two-way layout with one value a cell. With its mean squares MS_a, MS_b, MS_e,

    Var(mean) = (MS_a + MS_b − MS_e) / (M S),

where a mean square of methods or seeds below MS_e counts as MS_e (that effect is then estimated as none). Degrees of
freedom are Satterthwaite's, and at most M − 1 where methods differ by more than seeds: with few methods the
approximation is too sure of itself there. Source: S. R. Searle, G. Casella, C. E. McCulloch, "Variance Components"
(1992), chapter 4; F. E. Satterthwaite, Biometrics Bulletin 2 (1946). Its coverage is simulated in docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from scipy import stats

from dgr.core.errors import DGRError

LEAST_METHODS = 3
"""Methods from which on the interval's coverage is near its level."""


@dataclass(frozen=True)
class OverMethods:
    """Mean over methods and seeds, for methods and seeds like these.

    Attributes:
        mean: over all methods and seeds.
        low, high: interval of μ.
        df: its degrees of freedom.
    """

    mean: float
    low: float
    high: float
    df: float


def over_methods(differences: pd.DataFrame, level: float) -> OverMethods:
    """Estimate μ with an interval that takes other methods and other seeds into account.

    With three or four methods it is wide: so few say little about methods in general. Of two nothing is said; the
    simulated interval held μ in 88 % of cases.

    Args:
        differences: one row a seed, one column a method: shape ``(S, M)``.
        level: confidence level.

    Raises:
        DGRError: fewer than three methods or two seeds, or a value is missing.
    """
    seeds, methods = differences.shape
    if methods < LEAST_METHODS or seeds < 2:
        raise DGRError(
            f"Effects of methods need {LEAST_METHODS} methods and two seeds, but there are {methods} and {seeds}."
        )
    if differences.isna().to_numpy().any():
        raise DGRError("Effects of methods and seeds need a value of every method in every seed; run what is missing.")
    mean = float(differences.to_numpy().mean())
    of_method, of_seed = differences.mean(axis=0), differences.mean(axis=1)
    rest = differences.sub(of_seed, axis=0).sub(of_method, axis=1) + mean
    free = (methods - 1, seeds - 1, (methods - 1) * (seeds - 1))
    ms_rest = float((rest**2).to_numpy().sum()) / free[2]
    ms_method = seeds * float(of_method.var(ddof=1))
    ms_seed = methods * float(of_seed.var(ddof=1))
    parts = [(ms_method, free[0]), (ms_seed, free[1]), (ms_rest, free[2])]
    # An effect that is estimated as none leaves its mean square as one more estimate of the rest's variance.
    if ms_method <= ms_rest:
        parts = [(ms_seed, free[1])]
    elif ms_seed <= ms_rest:
        parts = [(ms_method, free[0])]
    signs = (1, 1, -1)
    total = sum(sign * square for sign, (square, _) in zip(signs, parts, strict=False))
    uncertainty = sum(square**2 / own for square, own in parts)
    df = total**2 / uncertainty if uncertainty > 0 else float(min(free[:2]))
    if ms_method > max(ms_seed, ms_rest):
        df = min(df, float(free[0]))
    half = float(stats.t.ppf((1 + level) / 2, df)) * math.sqrt(total / (methods * seeds))
    return OverMethods(mean, mean - half, mean + half, df)


def without_each(means: Mapping[str, float]) -> dict[str, float]:
    """The mean over methods with each left out in turn, by the name of the one left out; empty for a single method."""
    if len(means) < 2:
        return {}
    total = sum(means.values())
    return {name: (total - mean) / (len(means) - 1) for name, mean in means.items()}
