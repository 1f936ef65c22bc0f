"""What choices explain of a number: least squares with a main effect of every choice.

    y_i = μ + Σ_c e_c(option of i) + rest,    Σ_o e_c(o) = 0 for every choice c

Sum-to-zero coding: μ is the mean over options and e_c(o) an option's distance from it. A choice's share is its sum of
squares of type II (what the rest grows by without that choice) over the total one; in a balanced design these and the
rest's add up to one. Source: J. Fox, "Applied Regression Analysis and Generalized Linear Models" (3rd ed. 2016),
chapter 8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError


@dataclass(frozen=True)
class Coefficient:
    """An estimate with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class MainEffects:
    """A fitted model.

    Attributes:
        mean: μ.
        options: e_c(o) by choice and option; a choice with one option only is absent.
        shares: of the variance, by choice; NaN where all values are equal.
        rest: the share that no main effect explains: interactions and noise.
        df: degrees of freedom of the rest.
    """

    mean: Coefficient
    options: dict[tuple[str, str], Coefficient]
    shares: dict[str, float]
    rest: float
    df: int


def main_effects(values: FloatArray, options: pd.DataFrame, level: float) -> MainEffects:
    """Fit the model by ordinary least squares, with t-intervals of its coefficients.

    Args:
        values: y, shape ``(n,)``.
        options: one row a value, one column a choice: its option.
        level: confidence level.

    Raises:
        DGRError: not more values than coefficients, or options that stand together only and cannot be told apart.
    """
    blocks = {str(name): _coded(column) for name, column in options.items() if column.nunique() > 1}
    design = np.column_stack([np.ones(len(values)), *(block for block, _ in blocks.values())])
    n, width = design.shape
    if n <= width:
        raise DGRError(f"{n} specifications cannot tell {width} effects of choices from noise; configure more of them.")
    if np.linalg.matrix_rank(design) < width:
        raise DGRError("Some options of the choices occur together only, so that their effects cannot be told apart.")
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ values
    rest = _rest(design, values)
    variance, critical = rest / (n - width), float(stats.t.ppf((1 + level) / 2, n - width))

    def estimate(weights: FloatArray) -> Coefficient:
        value, half = float(weights @ beta), critical * math.sqrt(float(weights @ inverse @ weights) * variance)
        return Coefficient(value, value - half, value + half)

    total = float(((values - values.mean()) ** 2).sum())
    found: dict[tuple[str, str], Coefficient] = {}
    shares = {}
    start = 1
    for name, (block, codes) in blocks.items():
        own = slice(start, start + block.shape[1])
        for option, code in codes.items():
            weights = np.zeros(width)
            weights[own] = code
            found[name, option] = estimate(weights)
        without = _rest(np.delete(design, own, axis=1), values)
        shares[name] = (without - rest) / total if total else math.nan
        start = own.stop
    first = np.eye(width)[0]
    return MainEffects(estimate(first), found, shares, rest / total if total else math.nan, n - width)


def _coded(column: pd.Series) -> tuple[FloatArray, dict[str, FloatArray]]:
    """A choice's columns in sum-to-zero coding, and the code of each option."""
    names = list(dict.fromkeys(map(str, column)))
    codes = np.vstack([np.eye(len(names) - 1), -np.ones(len(names) - 1)])
    return codes[[names.index(str(option)) for option in column]], dict(zip(names, codes, strict=True))


def _rest(design: FloatArray, values: FloatArray) -> float:
    """Sum of squared residuals."""
    beta = np.linalg.lstsq(design, values, rcond=None)[0]
    return float(((values - design @ beta) ** 2).sum())
