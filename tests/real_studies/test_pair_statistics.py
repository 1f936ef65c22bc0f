"""Rank correlation over pairs, against scipy and against worked examples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr

from dgr.real_studies.pair_statistics import rank_correlation, relabelled_share, resampled_interval


@pytest.mark.parametrize("seed", range(5))
def test_rank_correlation_is_that_of_scipy_and_of_the_textbook(seed):
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=15), np.round(generator.normal(size=15), 0 if seed % 2 else 8)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)
    apart = generator.normal(size=15)
    differences = first.argsort().argsort() - apart.argsort().argsort()
    assert rank_correlation(first, apart) == pytest.approx(1 - 6 * (differences**2).sum() / (15 * (15**2 - 1)))


def test_rows_are_correlated_one_by_one_and_constants_give_zero():
    rows = np.array([[1.0, 2, 3], [3, 2, 1], [5, 5, 5]])
    assert rank_correlation(rows, np.array([10.0, 20, 30])).tolist() == [1, -1, 0]


def test_the_bootstrap_interval_holds_the_estimate_and_shrinks_with_pairs():
    generator = np.random.default_rng(0)
    widths = []
    for size in (15, 200):
        first = generator.normal(size=size)
        second = first + generator.normal(size=size)
        low, high = resampled_interval(first, second, 0)
        assert low < rank_correlation(first, second) < high
        widths.append(high - low)
    assert widths[1] < 0.5 * widths[0]
    assert resampled_interval(first, second, 0) == (low, high)


def test_the_exact_share_counts_relabellings_of_tasks_and_not_of_pairs():
    tasks = list("abcd")
    pairs = list(itertools.combinations(tasks, 2))
    place = {task: float(number**2) for number, task in enumerate(tasks)}
    first = {pair: place[pair[0]] + 1.7 * place[pair[1]] for pair in pairs}
    # By hand: all matrices, as full ones, with rows and columns in each order.
    second = {pair: value + 0.1 * number for number, (pair, value) in enumerate(first.items())}
    matrix = np.zeros((4, 4))
    for (one, two), value in first.items():
        matrix[tasks.index(one), tasks.index(two)] = matrix[tasks.index(two), tasks.index(one)] = value
    upper = np.triu_indices(4, 1)
    found = [
        spearmanr(matrix[np.ix_(order, order)][upper], list(second.values())).statistic
        for order in itertools.permutations(range(4))
    ]
    assert relabelled_share(first, second) == pytest.approx(np.mean(np.array(found) >= found[0] - 1e-12))
    assert relabelled_share(first, first) <= 2 / 24
    assert relabelled_share(first, dict.fromkeys(pairs, 1.0)) == 1


def test_under_no_relation_the_exact_share_is_uniform():
    generator = np.random.default_rng(0)
    pairs = list(itertools.combinations("abcdef", 2))
    shares = [
        relabelled_share(*(dict(zip(pairs, generator.normal(size=15), strict=True)) for _ in range(2)))
        for _ in range(60)
    ]
    assert 0.35 < np.mean(shares) < 0.65
    assert np.mean(np.array(shares) <= 0.1) < 0.25
