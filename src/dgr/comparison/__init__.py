"""Statistics of comparisons that are paired by seed: plain functions on arrays, one number a seed.

The unit is the seed. Tasks, classifiers and methods of one seed share its data, order and initialisation, so they are
averaged within the seed, or tested apart as one family; they never count as further observations. What several methods
say together is in :mod:`dgr.comparison.over_methods`, what the test set adds to the uncertainty in
:mod:`dgr.comparison.samples`, ranks of all methods at once in :mod:`dgr.comparison.ranking`.
"""

from dgr.comparison.bootstrap import bootstrap_interval
from dgr.comparison.family import Comparison, Planned, TestOutcome, compare
from dgr.comparison.family_wise import holm, holm_levels
from dgr.comparison.paired import effect_size, paired_differences, smallest_p
from dgr.comparison.seeded import generator_from
from dgr.comparison.sign_flip import sign_flip_p
from dgr.comparison.signed_rank import pseudo_median, signed_rank_equivalence_p, signed_rank_interval, wilcoxon_p
from dgr.comparison.t_based import (
    detectable_difference,
    detectable_effect,
    equivalence_p,
    student_interval,
    t_test_p,
    t_test_power,
)

ALPHA = 0.05

__all__ = [
    "ALPHA",
    "Comparison",
    "Planned",
    "TestOutcome",
    "bootstrap_interval",
    "compare",
    "detectable_difference",
    "detectable_effect",
    "effect_size",
    "equivalence_p",
    "generator_from",
    "holm",
    "holm_levels",
    "paired_differences",
    "pseudo_median",
    "sign_flip_p",
    "signed_rank_equivalence_p",
    "signed_rank_interval",
    "smallest_p",
    "student_interval",
    "t_test_p",
    "t_test_power",
    "wilcoxon_p",
]
