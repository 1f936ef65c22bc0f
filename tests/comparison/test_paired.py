import math

import numpy as np
import pandas as pd
import pytest

from dgr.comparison import bootstrap_interval, effect_size, generator_from, paired_differences
from dgr.core.errors import DGRError

NORMAL = np.random.default_rng(3).normal(1.8, 0.8, 24)


def by_seed(values, seeds):
    return pd.Series(values, index=seeds, dtype=float)


def test_pairs_go_by_seed_not_by_place():
    differences = paired_differences(by_seed([3, 1, 2], [7, 5, 6]), by_seed([10, 20, 30], [5, 6, 7]))
    assert list(differences) == [-9, -18, -27]


def test_equal_differences_are_ties_whatever_floating_point_says():
    differences = paired_differences(by_seed([0.3, 0.9, 0.8], range(3)), by_seed([0.2, 0.8, 0.7], range(3)))
    assert len(set(differences)) == 1
    assert not paired_differences(by_seed([0.1 + 0.2], [0]), by_seed([0.3], [0])).any()


@pytest.mark.parametrize(
    ("treatment", "reference", "message"),
    [
        (by_seed([1, 2, 3], [0, 1, 2]), by_seed([1, 2, 4], [0, 1, 4]), "Seeds 2, 4 stand on one side"),
        (by_seed([1, math.nan], [0, 1]), by_seed([1, 2], [0, 1]), "Seeds 1 have NaN or infinite"),
        (by_seed([1, 2], [0, 1]), by_seed([1, math.inf], [0, 1]), "Seeds 1 have NaN or infinite"),
        (by_seed([1, 2], [0, 0]), by_seed([1, 2], [0, 1]), "Seeds 0 have several values"),
        (by_seed([], []), by_seed([], []), "at least one seed"),
    ],
)
def test_what_cannot_be_paired_is_refused(treatment, reference, message):
    with pytest.raises(DGRError, match=message):
        paired_differences(treatment, reference)


def test_effect_size_is_unbiased():
    samples = np.random.default_rng(0).normal(0.7, 1.0, (4000, 6))
    values = np.array([effect_size(sample) for sample in samples])
    assert abs(values.mean() - 0.7) < 4 * values.std() / math.sqrt(len(values))
    assert samples.mean(axis=1).mean() / samples.std(axis=1, ddof=1).mean() == pytest.approx(0.7, rel=0.1)


def test_a_bootstrap_interval_depends_on_the_generator_alone():
    first, again = (bootstrap_interval(NORMAL, 0.95, generator_from(NORMAL)) for _ in range(2))
    assert first == again != bootstrap_interval(NORMAL, 0.95, generator_from(NORMAL + 1))
    np.random.seed(7)  # noqa: NPY002  the global state is not looked at
    assert bootstrap_interval(NORMAL, 0.95, generator_from(NORMAL)) == first
    assert first[0] < NORMAL.mean() < first[1]
    assert bootstrap_interval(np.full(20, 0.5), 0.95, generator_from(NORMAL)) == (0.5, 0.5)


def test_a_bootstrap_interval_of_few_seeds_is_refused():
    with pytest.raises(DGRError, match="of 19 differences is too narrow; use the t-interval below 20"):
        bootstrap_interval(NORMAL[:19], 0.95, generator_from(NORMAL))
