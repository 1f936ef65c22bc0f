"""Intervals of ratios that were timed round by round."""

import numpy as np
import pytest
from scipy import stats

from dgr.comparison.ratios import ratio_interval
from dgr.core.errors import DGRError


def test_the_interval_is_made_of_order_statistics():
    """By the binomial's own sum: j is the largest rank with P(B < j) at most half of what may be missed."""
    ratios = np.random.default_rng(0).lognormal(size=41)
    found = ratio_interval(3 * ratios, np.full(41, 3.0), 0.95)
    below = [sum(stats.binom.pmf(k, 41, 0.5) for k in range(j)) for j in range(42)]
    rank = max(j for j in range(42) if below[j] <= 0.025)
    ordered = np.sort(ratios)
    assert found == pytest.approx((np.median(ratios), ordered[rank - 1], ordered[41 - rank], 41))


@pytest.mark.parametrize("heavy", [False, True])
def test_it_covers_the_median_as_often_as_it_says(heavy):
    generator = np.random.default_rng(1)
    draws = generator.standard_t(2, (1000, 30)) if heavy else generator.standard_normal((1000, 30))
    found = [ratio_interval(np.exp(row), np.ones(30), 0.95) for row in draws]
    covered = np.mean([low <= 1 <= high for _, low, high, _ in found])
    assert covered >= 0.94
    assert covered < 0.98, "not wider than it has to be: 95.7 % is the exact coverage at 30"


@pytest.mark.parametrize(
    ("treatment", "reference", "message"),
    [
        (np.ones(4), np.ones(5), "the same rounds on both sides, but got 4 and 5"),
        (np.r_[np.ones(9), np.nan], np.ones(10), "positive numbers of seconds"),
        (np.ones(10), np.zeros(10), "positive numbers of seconds"),
        (np.ones(5), np.ones(5), "5 rounds are too few for an interval at 0.95: at least 6 are needed"),
    ],
)
def test_what_gives_no_interval_is_refused(treatment, reference, message):
    with pytest.raises(DGRError, match=message):
        ratio_interval(treatment, reference, 0.95)


def test_as_few_rounds_as_are_allowed_give_their_extremes():
    found = ratio_interval(np.arange(1.0, 7.0), np.ones(6), 0.95)
    assert (found.low, found.high) == (1.0, 6.0)
