"""Whether a number of each pair of tasks predicts another: rank correlation over pairs that share tasks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata

from dgr.core.arrays import FloatArray

SetPair = tuple[str, str]
PAIR_DRAWS = 2000
ENDS = (0.025, 0.975)
TIED = 1e-12


def rank_correlation(first: FloatArray, second: FloatArray) -> FloatArray:
    """Spearman's ρ along the last dimension, with mean ranks for ties; 0 where one of both is constant."""
    ranks = [rankdata(values, axis=-1) for values in (first, second)]
    one, two = (values - values.mean(axis=-1, keepdims=True) for values in ranks)
    sizes = np.sqrt((one**2).sum(axis=-1) * (two**2).sum(axis=-1))
    found: FloatArray = (one * two).sum(axis=-1) / np.where(sizes == 0, 1, sizes)
    return found


def resampled_interval(first: FloatArray, second: FloatArray, seed: int) -> tuple[float, float]:
    """The percentile bootstrap interval of ρ at 95 %, over pairs drawn with replacement.

    Pairs share tasks and are not independent, so that it is a guide; :func:`relabelled_share` is exact.
    """
    generator = np.random.default_rng(seed)
    draws = generator.integers(len(first), size=(PAIR_DRAWS, len(first)))
    low, high = np.quantile(rank_correlation(first[draws], second[draws]), ENDS)
    return float(low), float(high)


def relabelled_share(first: Mapping[SetPair, float], second: Mapping[SetPair, float]) -> float:
    """The one-sided exact p of ρ: the share of all relabellings of the tasks with ρ at least as high (Mantel).

    The tasks of ``first`` change places, and with them whole rows and columns of its matrix: what pairs have in common
    because they share a task is kept. The relabelling that changes nothing counts.

    Args:
        first: a number of each pair of tasks, in one order of each pair.
        second: likewise, of the same pairs.
    """
    tasks = list(dict.fromkeys(task for pair in first for task in pair))
    both_ways = {frozenset(pair): value for pair, value in first.items()}
    fixed = np.array([second[pair] for pair in first])
    moved = []
    for order in itertools.permutations(tasks):  # the first changes nothing
        place = dict(zip(tasks, order, strict=True))
        moved.append([both_ways[frozenset(place[task] for task in pair)] for pair in first])
    found = rank_correlation(np.array(moved), fixed)
    return float(np.mean(found >= found[0] - TIED))
