"""Randomness of statistics that depends on the data alone."""

from __future__ import annotations

import hashlib

import numpy as np

from dgr.core.arrays import FloatArray


def generator_from(differences: FloatArray) -> np.random.Generator:
    """A generator seeded by the differences themselves: the same data have the same numbers in every table."""
    return np.random.default_rng(list(hashlib.sha256(differences.tobytes()).digest()))
