import numpy as np
import pytest

from dgr.comparison.samples import sample_uncertainty
from dgr.core.errors import DGRError

EFFECTS = np.random.default_rng(2).normal(0, 1, 30)
CROSSED = np.array([(i, j) for i in range(30) for j in range(30)])


def test_additive_sources_have_a_known_variance():
    """d = a_left + a_right over all pairs: the mean is 2 Σ c_i a_i / n; multinomial counts give it 4 var(a) / n."""
    values = EFFECTS[CROSSED].sum(axis=1)
    found = sample_uncertainty([values], [CROSSED])
    wanted = np.sqrt(4 * EFFECTS.var() / 30)
    assert found.standard_error == pytest.approx(wanted, rel=0.07)
    assert found.low < values.mean() < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * wanted, rel=0.1)


def test_seeds_share_their_sources():
    """Other pairs of the same sources are not another test set; other sources are."""
    values = EFFECTS[CROSSED].sum(axis=1)
    once = sample_uncertainty([values], [CROSSED]).standard_error
    shared = sample_uncertainty([values] * 4, [CROSSED] * 4).standard_error
    apart = sample_uncertainty([values] * 4, [CROSSED + 30 * seed for seed in range(4)]).standard_error
    assert shared == pytest.approx(once, rel=0.1)
    assert apart == pytest.approx(once / 2, rel=0.1)


def test_equal_differences_have_no_uncertainty_and_ids_are_names():
    found = sample_uncertainty([np.full(900, 0.25)], [CROSSED * 17 + 5])
    assert (found.standard_error, found.low, found.high) == (0, 0.25, 0.25)


def test_what_does_not_fit_is_refused():
    with pytest.raises(DGRError, match=r"Test set 1 has 4 differences for sources of shape \(5, 2\)"):
        sample_uncertainty([np.zeros(900), np.zeros(4)], [CROSSED, CROSSED[:5]])
    with pytest.raises(DGRError, match="single source"):
        sample_uncertainty([np.zeros(3)], [np.zeros((3, 2), dtype=int)])
