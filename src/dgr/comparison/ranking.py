"""All methods at once: Friedman's test and Nemenyi's post-hoc comparisons, on mean ranks over blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scikit_posthocs
from scipy import stats

from dgr.core.errors import DGRError


@dataclass(frozen=True)
class Ranking:
    """Mean ranks and what may be said about their order.

    Attributes:
        blocks: number of independent blocks.
        ranks: mean rank of each cell, 1 is best, ties share their mean rank: shape ``(cells,)``.
        friedman_p: p-value of "all cells have the same distribution within a block"; 1 for a single block or where all
            values of every block are tied.
        nemenyi_p: p-value of each pair, family-wise: shape ``(cells, cells)``; 1 where Friedman's is.
        critical_difference: of mean ranks at level α; NaN for a single block.
    """

    blocks: int
    ranks: pd.Series
    friedman_p: float
    nemenyi_p: pd.DataFrame
    critical_difference: float


def rank_cells(values: pd.DataFrame, alpha: float, higher_is_better: bool = True) -> Ranking:
    """Rank the cells within each block and compare their mean ranks.

    Source: J. Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7 (2006).

    Args:
        values: one row a block (here a seed), one column a cell: shape ``(blocks, cells)``.
        alpha: level of the critical difference.
        higher_is_better: the direction of the values.

    Raises:
        DGRError: fewer than three cells, no block, or a value that is NaN or infinite.
    """
    blocks, cells = values.shape
    if cells < 3 or blocks < 1:
        raise DGRError(f"Ranks need three cells and a seed, but there are {cells} and {blocks}; configure more runs.")
    if not np.isfinite(values.to_numpy()).all():
        raise DGRError("Ranks are not defined for NaN or infinite metrics; repeat the runs that gave them.")
    # Twelve digits, as for paired differences: ties must be ties.
    signed = values.round(12) * (-1 if higher_is_better else 1)
    ranks = signed.rank(axis=1).mean()
    tied = bool((signed.nunique(axis=1) == 1).all())
    if blocks == 1 or tied:
        nothing = pd.DataFrame(1.0, index=values.columns, columns=values.columns)
        return Ranking(blocks, ranks, 1.0, nothing, math.nan if blocks == 1 else _difference(cells, blocks, alpha))
    friedman = float(stats.friedmanchisquare(*signed.to_numpy().T).pvalue)
    nemenyi = pd.DataFrame(scikit_posthocs.posthoc_nemenyi_friedman(signed.to_numpy()).to_numpy())
    nemenyi = nemenyi.set_axis(values.columns, axis=0).set_axis(values.columns, axis=1)
    return Ranking(blocks, ranks, friedman, nemenyi, _difference(cells, blocks, alpha))


def _difference(cells: int, blocks: int, alpha: float) -> float:
    """Nemenyi's ``q_α √(k (k + 1) / (6 n))`` with the studentised range's quantile over √2."""
    quantile = stats.studentized_range.ppf(1 - alpha, cells, np.inf) / math.sqrt(2)
    return float(quantile * math.sqrt(cells * (cells + 1) / (6 * blocks)))
