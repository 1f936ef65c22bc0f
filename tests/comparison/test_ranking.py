import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dgr.comparison.ranking import rank_cells
from dgr.core.errors import DGRError


def block_design(blocks, cells, step):
    return pd.DataFrame(np.random.default_rng(5).normal(size=(blocks, cells)) + step * np.arange(cells))


def test_ranks_and_critical_difference():
    ranking = rank_cells(block_design(8, 5, 3.0), 0.05)
    assert list(ranking.ranks.round()) == [5, 4, 3, 2, 1]
    assert ranking.friedman_p < 1e-4
    assert ranking.critical_difference == pytest.approx(2.728 * math.sqrt(5 * 6 / (6 * 8)), rel=1e-3)  # Demšar's q
    apart = (ranking.ranks[0] - ranking.ranks).abs() > ranking.critical_difference
    assert list(ranking.nemenyi_p.loc[0] < 0.05) == list(apart)
    lower = rank_cells(-block_design(8, 5, 3.0), 0.05, higher_is_better=False)
    pd.testing.assert_series_equal(lower.ranks, ranking.ranks)


def test_friedman_keeps_its_level():
    rejected = sum(
        rank_cells(pd.DataFrame(values), 0.05).friedman_p < 0.05
        for values in np.random.default_rng(2).normal(size=(100, 8, 4))
    )
    assert stats.binomtest(rejected, 100, 0.05, alternative="greater").pvalue > 1e-3


@pytest.mark.parametrize("values", [np.ones((6, 4)), np.arange(4.0)[None]])
def test_ranks_where_no_test_exists(values):
    ranking = rank_cells(pd.DataFrame(values), 0.05)
    assert ranking.friedman_p == 1
    assert (ranking.nemenyi_p == 1).all(axis=None)
    assert math.isnan(ranking.critical_difference) == (len(values) == 1)


def test_ranks_are_refused():
    with pytest.raises(DGRError, match="three cells"):
        rank_cells(block_design(8, 2, 0), 0.05)
    with pytest.raises(DGRError, match="NaN"):
        rank_cells(pd.DataFrame([[1, 2, math.nan]]), 0.05)
