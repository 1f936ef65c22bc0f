"""Statistics of comparisons that are paired by seed: plain functions on arrays, one number a seed.

The unit is the seed. Tasks, classifiers and methods of one seed share its data order and initialisation, so they are
averaged within the seed, or tested apart as one family; they never count as further observations.
Ranks of all methods at once are in :mod:`dgr.comparison.ranking`.
"""

from dgr.comparison.family import Comparison, Outcome, compare, generator_from, holm
from dgr.comparison.paired import (
    NARROW,
    bootstrap_interval,
    effect_size,
    equivalence_p,
    paired_differences,
    smallest_p,
    t_test_p,
    wilcoxon_p,
)

ALPHA = 0.05

__all__ = [
    "ALPHA",
    "NARROW",
    "Comparison",
    "Outcome",
    "bootstrap_interval",
    "compare",
    "effect_size",
    "equivalence_p",
    "generator_from",
    "holm",
    "paired_differences",
    "smallest_p",
    "t_test_p",
    "wilcoxon_p",
]
