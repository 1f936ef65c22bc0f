import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from dgr.comparison import compare, holm, smallest_p, t_test_p
from dgr.core.errors import DGRError

NORMAL = np.random.default_rng(3).normal(1.8, 0.8, 8)


def one(values, alpha=0.05, **options):
    return compare({"x": np.asarray(values, dtype=float)}, alpha, **options)[0]


@pytest.mark.parametrize("shape", [(5,), (2, 9)])
def test_holm_is_that_of_statsmodels(shape):
    p = np.random.default_rng(1).uniform(0, 0.2, shape)
    p[..., 1] = p[..., 0]
    wanted = [multipletests(row, method="holm")[1] for row in np.atleast_2d(p)]
    np.testing.assert_allclose(np.atleast_2d(holm(p)), wanted, rtol=1e-14)


def test_holm_refuses_nan():
    with pytest.raises(DGRError, match="NaN"):
        holm(np.array([0.1, math.nan]))


def test_directions():
    assert one(NORMAL).outcome == "better"
    assert one(-NORMAL).outcome == "worse"
    assert one(-NORMAL, lower_is_better=["x"]).outcome == "better"
    noise = one(NORMAL - NORMAL.mean() + 0.01)
    assert (noise.outcome, noise.reason[:14]) == ("inconclusive", "the adjusted p")


@pytest.mark.parametrize("n", [2, 3, 5])
def test_too_few_seeds_are_inconclusive_however_clear(n):
    row = one(10 + 0.01 * np.arange(n))
    assert row.holm_p < 0.01
    assert row.outcome == "inconclusive"
    assert f"n = {n} is too small" in row.reason
    assert one(10 + 0.01 * np.arange(6)).outcome == "better"


def test_one_seed():
    row = one([0.5])
    assert (row.n, row.mean, row.t_p, row.wilcoxon_p, row.outcome) == (1, 0.5, 1, 1, "inconclusive")
    assert math.isnan(row.low)
    assert math.isnan(row.effect)
    assert "single seed" in row.reason


def test_all_differences_zero():
    row = one(np.zeros(8))
    assert (row.t_p, row.wilcoxon_p, row.effect, row.low, row.high) == (1, 1, 0, 0, 0)
    assert row.reason == "all differences are zero"


def test_equal_differences_have_no_t():
    row = one(np.full(8, 0.25))
    assert row.t_p == row.wilcoxon_p == smallest_p(8)
    assert (row.low, row.high, row.outcome) == (0.25, 0.25, "better")
    assert math.isnan(row.effect)


def test_ties_and_zeros_are_counted():
    row = one([0, 0, 0, 1, 1, 1, 1, 1])
    assert row.wilcoxon_p == pytest.approx(2 / 2**5)
    assert 0 < row.low < row.mean < row.high <= 1


def test_the_family_is_paid_for_and_members_do_not_disturb_each_other():
    alone = one(NORMAL)
    family = {"x": NORMAL} | {f"y{i}": NORMAL - NORMAL.mean() + 0.1 * i for i in range(9)}
    member = compare(family, 0.05)[0]
    assert (member.low, member.high, member.t_p) == (alone.low, alone.high, alone.t_p)
    assert member.holm_p == pytest.approx(10 * alone.t_p)
    assert compare({}, 0.05) == []


# Simulations: 9 methods, 8 seeds, the noise of a method correlated within a seed by a common component


def simulated(shift, families=4000, seeds=8, members=9):
    random = np.random.default_rng(42)
    common = random.normal(size=(seeds, families, 1))
    return shift + math.sqrt(0.5) * common + math.sqrt(0.5) * random.normal(size=(seeds, families, members))


def test_family_wise_error_stays_at_its_level():
    """Of p-values alone: a verdict also needs the interval, so that it errs no more often."""
    errors = int((holm(t_test_p(simulated(0.0))) < 0.05).any(axis=1).sum())
    assert stats.binomtest(errors, 4000, 0.05, alternative="greater").pvalue > 1e-3
    assert errors > 0.01 * 4000, "a correction that never rejects proves nothing"
    uncorrected = int((t_test_p(simulated(0.0)) < 0.05).any(axis=1).sum())
    assert stats.binomtest(uncorrected, 4000, 0.05, alternative="greater").pvalue < 1e-6


@pytest.mark.parametrize("shift", [0.5, 1.0, 1.5])
def test_power_of_a_single_comparison(shift):
    found = int((holm(t_test_p(simulated(shift, members=1))) < 0.05).sum())
    critical, noncentrality = stats.t.ppf(0.975, 7), shift * math.sqrt(8)
    power = stats.nct.sf(critical, 7, noncentrality) + stats.nct.cdf(-critical, 7, noncentrality)
    assert stats.binomtest(found, 4000, power).pvalue > 1e-3


def test_power_of_the_verdict():
    """The interval rarely vetoes what the test finds."""
    shift, families = 1.5, 100
    values = simulated(shift, families, members=1)[..., 0]
    outcomes = [one(column).outcome for column in values.T]
    power = stats.nct.sf(stats.t.ppf(0.975, 7), 7, shift * math.sqrt(8))
    assert stats.binomtest(outcomes.count("better"), families, power).pvalue > 1e-3
    assert "worse" not in outcomes
