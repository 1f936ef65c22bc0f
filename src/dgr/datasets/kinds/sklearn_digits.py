"""Pairs of the handwritten digits that scikit-learn ships, 8×8 pixels from another source than MNIST."""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from typing_extensions import override

from dgr.datasets.digit_pairs import DigitPairs

LEVELS = 16
"""The largest grey value in the collection."""


class Config(DigitPairs):
    """Pairs of scikit-learn's digits: how many source digits and composed pairs each split has."""

    side: ClassVar[int] = 8
    canvas: ClassVar[int] = 11

    kind: Literal["sklearn_digits"]

    @staticmethod
    @override
    def source() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return _read()


@cache
def _read() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """1,797 digits as bytes, and their classes."""
    found = load_digits()
    return (found.images * (255 / LEVELS)).round().astype(np.uint8), found.target.astype(np.int64)
