import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from dgr.comparison import Planned, compare, holm, holm_levels, student_interval
from dgr.comparison.family import region_text
from dgr.core.errors import DGRError

NORMAL = np.random.default_rng(3).normal(1.8, 0.8, 8)
CENTRED = NORMAL - NORMAL.mean()


def one(values, alpha=0.05, region=0.1, **options):
    planned = Planned(np.asarray(values, dtype=float), region, **options)
    return compare({"x": planned}, alpha)["x"]


@pytest.mark.parametrize("shape", [(5,), (2, 9)])
def test_holm_is_that_of_statsmodels(shape):
    p = np.random.default_rng(1).uniform(0, 0.2, shape)
    p[..., 1] = p[..., 0]
    wanted = [multipletests(row, method="holm")[1] for row in np.atleast_2d(p)]
    np.testing.assert_allclose(np.atleast_2d(holm(p)), wanted, rtol=1e-14)


def test_holm_refuses_nan():
    with pytest.raises(DGRError, match="NaN"):
        holm(np.array([0.1, math.nan]))


def test_levels_by_hand():
    levels = holm_levels(np.array([0.2, 0.001, 0.02, 0.04]), 0.05)
    assert list(levels) == [0.05 / 3, 0.05 / 4, 0.05 / 3, 0.05 / 3]
    assert list(holm_levels(np.array([0.001, 0.002, 0.003]), 0.05)) == [0.05 / 3, 0.025, 0.05]


@pytest.mark.parametrize("seed", range(40))
def test_every_interval_says_what_its_verdict_says(seed):
    random = np.random.default_rng(seed)
    family = {
        str(k): Planned(random.normal(random.choice([0.0, 0.6, 1.5]), 1.0, random.integers(6, 60)), 0.7)
        for k in range(random.integers(1, 12))
    }
    rows = compare(family, 0.05)
    for name in ("p", "equivalence_p"):
        adjusted = multipletests([getattr(row, name) for row in rows.values()], 0.05, method="holm")[1]
        np.testing.assert_allclose([getattr(row, f"holm_{name}") for row in rows.values()], adjusted, rtol=1e-12)
    for row in rows.values():
        assert (row.outcome == "equivalent") == (row.holm_equivalence_p < 0.05)
        if row.outcome == "equivalent":
            assert -0.7 < row.low < row.high < 0.7
        else:
            assert (row.holm_p < 0.05) == (not row.low <= 0 <= row.high) == (row.outcome != "undecided")
        if row.outcome == "undecided":
            assert row.confidence >= 1 - row.level
            assert max(-row.low, row.high) >= 0.7, "not within the region, as the verdict says"
        elif row.outcome != "equivalent":
            assert row.confidence == 1 - row.level
        assert row.low <= row.estimate <= row.high


def test_heavy_tails_make_no_detectable_difference_up():
    """Its formula is the t-test's: a seed far out made it 42 beside an effect of 0.04."""
    values = np.append(NORMAL, -3000.0)
    mean, median = (compare({"": Planned(values, 0.1, name)}, 0.05)[""] for name in ("mean", "median"))
    assert mean.detectable > 100
    assert np.isnan(median.detectable)


@pytest.mark.parametrize(
    ("region", "digits", "text"),
    [
        *((0.0005, 3, "±0.0005"), (0.0005, 0, "±0.0005"), (0.5, 2, "±0.50"), (0.02, 3, "±0.020")),
        *((100 * 0.005, 2, "±0.50"), (3.0, 0, "±3"), (1e-5, 2, "±0.00001"), (20.0, 1, "±20.0")),
    ],
)
def test_a_region_is_told_with_all_its_decimals(region, digits, text):
    assert region_text(region, digits) == text


def test_the_test_decides_and_the_region_comes_first():
    assert one(NORMAL).outcome == "positive"
    assert one(-NORMAL).outcome == "negative"
    assert one(CENTRED + 0.01).outcome == "undecided"
    assert "holds zero and is not within ±0.1" in one(CENTRED + 0.01).reason
    small = 0.01 * CENTRED + 0.05
    assert one(small).outcome == "equivalent", "shown to be positive, and too small to matter"
    assert one(small).low > 0
    assert one(small, region=0.05).outcome == "positive", "not shown to be too small"


def test_equivalent_is_a_tost_and_shows_its_interval():
    low, high = student_interval(CENTRED + 0.1, 0.90)
    edge = max(abs(low), abs(high))
    found = one(CENTRED + 0.1, region=1.001 * edge)
    assert (found.outcome, found.low, found.high) == ("equivalent", low, high)
    assert found.confidence == pytest.approx(0.90)
    assert one(CENTRED + 0.1, region=0.999 * edge).outcome == "undecided"


def test_an_interval_within_the_region_that_the_family_does_not_pay_for():
    """All differences are found, so that the last has the full level; its TOST does not."""
    wide = NORMAL - NORMAL.mean() + 1.4
    family = {"x": Planned(wide, 2.4)} | {f"y{i}": Planned(0.1 * CENTRED + 5.0, 1.0) for i in range(9)}
    row = compare(family, 0.05)["x"]
    assert (row.level, row.outcome) == (0.05, "positive")
    assert 0 < row.low < row.high < 2.4
    assert row.holm_equivalence_p > 0.05


def test_an_undecided_row_never_shows_an_interval_within_its_region():
    """Every other difference is found, none is shown to be irrelevant: the two tests of this one differ in level."""
    others = {f"y{i}": Planned(0.1 * CENTRED + 5.0, 1.0) for i in range(9)}
    open_, decided = (compare({"x": Planned(CENTRED + 0.05, region)} | others, 0.05)["x"] for region in (1.0, 1.6))
    low, high = student_interval(CENTRED + 0.05, 1 - open_.level)
    assert -1.0 < low < 0 < high < 1.0, "that of the test for a difference lies within the region"
    assert (open_.outcome, open_.confidence) == ("undecided", pytest.approx(1 - 2 * 0.05 / 10))
    assert open_.low < 0 < 1.0 < open_.high
    assert open_.reason == "the interval holds zero and is not within ±1"
    assert decided.outcome == "equivalent"


@pytest.mark.parametrize("n", [2, 3, 5])
def test_too_few_seeds_are_undecided_however_clear(n):
    row = one(10 + 0.01 * np.arange(n))
    assert (row.outcome, row.p, row.holm_p) == ("undecided", 1, 1)
    assert f"n = {n} is too small" in row.reason
    assert math.isnan(row.low)
    assert one(10 + 0.01 * np.arange(6)).outcome == "positive"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0.5], "a single seed has no spread"),
        (np.zeros(8), "all 8 seeds have the same difference"),
        (np.full(8, 0.25), "all 8 seeds have the same difference"),
    ],
)
def test_what_has_no_spread_is_undecided(values, reason):
    row = one(values, region=9.0)
    assert (row.outcome, row.estimate, row.p) == ("undecided", values[0], 1)
    assert reason in row.reason
    assert math.isnan(row.low)


def test_invalid_data_are_undecided_and_pay_for_their_place():
    row = one(NORMAL, invalid="two runs collapsed")
    assert (row.outcome, row.reason) == ("undecided", "two runs collapsed")
    assert math.isnan(row.low)
    beside = compare({"x": Planned(NORMAL, 0.1), "y": Planned(NORMAL, 0.1, invalid="fallen")}, 0.05)["x"]
    assert beside.level == 0.025


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_is_refused_by_name(bad):
    with pytest.raises(DGRError, match="x has NaN or infinite differences"):
        one([*NORMAL, bad])


def test_the_median_takes_the_signed_rank_test():
    heavy = np.append(np.random.default_rng(4).normal(0.5, 1.0, 59), -60.0)
    mean, median = one(heavy), one(heavy, statistic="median")
    assert (mean.outcome, median.outcome) == ("undecided", "positive")
    assert median.p == median.wilcoxon_p
    assert median.low < median.estimate < median.high


def test_a_family_is_paid_for_and_members_do_not_disturb_each_other():
    alone = one(NORMAL)
    family = {"x": Planned(NORMAL, 0.1)} | {f"y{i}": Planned(CENTRED + 0.1 * i, 0.1) for i in range(9)}
    member = compare(family, 0.05)["x"]
    assert (member.p, member.level) == (alone.p, 0.005)
    assert member.holm_p == pytest.approx(10 * alone.p)
    assert member.low < alone.low
    assert compare({}, 0.05) == {}


# Simulations: members whose noise is correlated within a seed by a common component


def wrongly_said(means, region, families=600, seeds=12):
    """In how many families some difference is said to exist that does not, and in how many some to be irrelevant."""
    random = np.random.default_rng(42)
    exists = irrelevant = 0
    for _ in range(families):
        common = random.normal(size=(seeds, 1))
        values = means + math.sqrt(0.5) * common + math.sqrt(0.5) * random.normal(size=(seeds, len(means)))
        rows = list(compare({str(k): Planned(values[:, k], region) for k in range(len(means))}, 0.05).values())
        sides = {"positive": 1, "negative": -1}
        exists += any(
            row.outcome in sides and sides[row.outcome] * mean <= 0 for row, mean in zip(rows, means, strict=True)
        )
        irrelevant += any(
            row.outcome == "equivalent" and abs(mean) >= region for row, mean in zip(rows, means, strict=True)
        )
    return exists, irrelevant


@pytest.mark.parametrize(
    ("means", "region"),
    [([0.0] * 6, 0.5), ([1.5] * 6, 1.5), ([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], 1.0)],
    ids=["no difference", "edge of the region", "half and half"],
)
def test_a_family_errs_no_more_often_than_it_says(means, region, monkeypatch):
    for beside in ("sign_flip_p", "wilcoxon_p", "detectable_difference"):  # half of the time, and no part of a verdict
        monkeypatch.setattr(f"dgr.comparison.family.{beside}", lambda *_: math.nan)
    wrong = wrongly_said(np.array(means), region)
    assert sum(wrong) > 0, "a rule that never errs proves nothing"
    for count in wrong:
        assert stats.binomtest(count, 600, 0.05, alternative="greater").pvalue > 1e-3
