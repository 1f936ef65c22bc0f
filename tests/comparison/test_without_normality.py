"""The sign-flip and the signed-rank test, against enumeration and SciPy."""

import itertools

import numpy as np
import pytest
from scipy import stats

from dgr.comparison import (
    pseudo_median,
    sign_flip_p,
    signed_rank_equivalence_p,
    signed_rank_interval,
    smallest_p,
    wilcoxon_p,
)
from dgr.comparison.sign_flip import EXACT_UP_TO

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize("n", [1, 2, 5, 11])
def test_sign_flips_are_counted_one_by_one(n):
    values = RANDOM.normal(0.4, 1.0, n)
    sums = [abs(np.dot(signs, values)) for signs in itertools.product((-1, 1), repeat=n)]
    wanted = np.mean(np.array(sums) >= abs(values.sum()) - 1e-9)
    assert sign_flip_p(values) == wanted


def test_ties_are_ties():
    """All sums are multiples of 0.1, and rounding must not part them."""
    values = np.array([0.1, 0.1, 0.1, -0.1, 0.3])
    sums = [abs(np.dot(signs, np.round(10 * values))) for signs in itertools.product((-1, 1), repeat=5)]
    assert sign_flip_p(values) == np.mean(np.array(sums) >= 5)
    assert sign_flip_p(np.zeros(6)) == 1
    assert sign_flip_p(np.array([1.0, -1.0, 2.0, -2.0])) == 1


@pytest.mark.parametrize("n", [6, 20, EXACT_UP_TO])
def test_differences_of_one_sign_give_the_smallest_p(n):
    values = RANDOM.uniform(0.5, 1.0, n)
    assert sign_flip_p(values) == sign_flip_p(-values) == smallest_p(n)
    assert wilcoxon_p(values) == pytest.approx(smallest_p(n))


def test_random_flips_take_over_beyond_and_agree():
    values = RANDOM.normal(0.25, 1.0, EXACT_UP_TO + 8)
    found = sign_flip_p(values)
    assert found == sign_flip_p(values.copy())
    near = stats.ttest_1samp(values, 0).pvalue
    assert found == pytest.approx(near, abs=0.01)
    assert sign_flip_p(np.ones(40)) == pytest.approx(1e-5, rel=1e-3)


@pytest.mark.parametrize("n", [5, 13, 40])
def test_signed_rank_is_scipys_exact_test(n):
    values = RANDOM.normal(0.3, 1.0, n)
    assert wilcoxon_p(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue, rel=1e-9)


def test_zeros_and_ties_never_make_the_signed_rank_test_surer():
    values = np.array([0, 0, 0, 1, 1, 1, 1, 1.0])
    jittered = [values + 1e-6 * np.random.default_rng(k).normal(size=8) for k in range(20)]
    assert wilcoxon_p(values) >= max(wilcoxon_p(one) for one in jittered)
    assert wilcoxon_p(np.zeros(6)) == 1


@pytest.mark.parametrize("n", [8, 30, 200])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_the_signed_rank_interval_holds_what_its_test_does_not_reject(n, level):
    values = RANDOM.standard_t(3, n)
    low, high = signed_rank_interval(values, level)
    step = 1e-9
    assert wilcoxon_p(values - (low - step)) <= 1 - level < wilcoxon_p(values - (low + step))
    assert wilcoxon_p(values - (high + step)) <= 1 - level < wilcoxon_p(values - (high - step))
    assert low < pseudo_median(values) < high


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_signed_rank_equivalence_is_its_interval(alpha):
    values = RANDOM.standard_t(3, 25) + 0.2
    edge = max(map(abs, signed_rank_interval(values, 1 - 2 * alpha)))
    assert signed_rank_equivalence_p(values, edge + 1e-9) <= alpha < signed_rank_equivalence_p(values, edge - 1e-9)
    assert signed_rank_equivalence_p(values, 1e-3) == 1


def test_pseudo_median_by_hand():
    assert pseudo_median(np.array([0.0, 1.0, 5.0])) == np.median([0, 0.5, 2.5, 1, 3, 5])
    assert np.isnan(signed_rank_interval(np.array([1.0, 2.0, 3.0]), 0.95)).all()
