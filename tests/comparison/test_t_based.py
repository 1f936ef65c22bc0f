"""Against SciPy and statsmodels, which compute the same another way."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from dgr.comparison import (
    detectable_difference,
    detectable_effect,
    equivalence_p,
    student_interval,
    t_test_p,
    t_test_power,
)
from dgr.core.errors import DGRError

VALUES = np.random.default_rng(3).normal(0.3, 0.8, 9)
NONE = np.zeros_like(VALUES)


def test_the_test_is_scipys():
    assert t_test_p(VALUES) == stats.ttest_rel(VALUES, NONE).pvalue


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_the_interval_is_scipys_and_is_the_tests(level):
    found = student_interval(VALUES, level)
    wanted = stats.ttest_rel(VALUES, NONE).confidence_interval(level)
    assert found == pytest.approx((wanted.low, wanted.high), rel=1e-12)
    edge = VALUES - found[0]
    assert t_test_p(edge) == pytest.approx(1 - level, rel=1e-9)


@pytest.mark.parametrize("region", [0.2, 0.7, 2.0])
def test_equivalence_is_that_of_statsmodels(region):
    assert equivalence_p(VALUES, region) == pytest.approx(ttost_paired(VALUES, NONE, -region, region)[0], rel=1e-12)


@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_equivalence_is_the_interval_of_level_one_minus_two_alpha(alpha):
    low, high = student_interval(VALUES, 1 - 2 * alpha)
    edge = max(abs(low), abs(high))
    assert equivalence_p(VALUES, 1.0001 * edge) < alpha < equivalence_p(VALUES, 0.9999 * edge)


@pytest.mark.parametrize("region", [0.0, -1.0, math.nan])
def test_a_region_must_be_positive(region):
    with pytest.raises(DGRError, match="A region of equivalence must be positive"):
        equivalence_p(VALUES, region)


@pytest.mark.parametrize("n", [2, 6, 20, 200])
@pytest.mark.parametrize("alpha", [0.05, 0.002])
def test_power_is_that_of_statsmodels(n, alpha):
    for effect in (0.1, 0.5, 1.5):
        wanted = TTestPower().power(effect, n, alpha)
        if np.isfinite(wanted):  # statsmodels has no value for some of the largest
            assert t_test_power(effect, n, alpha) == pytest.approx(wanted, rel=1e-6)
    assert t_test_power(detectable_effect(n, alpha), n, alpha) == pytest.approx(0.8, abs=1e-8)


def test_what_six_seeds_find():
    """The 1.4 standard deviations of an earlier review (1.43)."""
    assert detectable_effect(6, 0.05) == pytest.approx(TTestPower().solve_power(None, 6, 0.05, 0.8), rel=1e-6)
    assert 1.4 < detectable_effect(6, 0.05) < 1.45
    assert detectable_difference(VALUES, 0.05) == pytest.approx(detectable_effect(9, 0.05) * VALUES.std(ddof=1))
    with pytest.raises(DGRError, match="A single seed finds no difference"):
        detectable_effect(1, 0.05)


@pytest.mark.parametrize("values", [np.array([0.5]), np.full(8, 0.25), np.zeros(8)])
def test_without_a_spread_there_is_no_t(values):
    assert (t_test_p(values), equivalence_p(values, 9.0)) == (1, 1)
    assert np.isnan([*student_interval(values, 0.95), detectable_difference(values, 0.05)]).all()
