"""Pairs of overlapping digits, composed from a collection of single ones: two tasks of ten classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt
from typing_extensions import override

from dgr.config.datasets import Composed, Composition, MadeDataset
from dgr.config.runs import SplitName
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.datasets.seeded import PARTS, overlay


class DigitPairs(MadeDataset, ABC):
    """How many source digits and composed pairs each split has.

    Attributes:
        side: height and width of a digit.
        canvas: height and width of a pair: the left digit stands at the top left, the right one at the bottom right.
    """

    side: ClassVar[int]
    canvas: ClassVar[int]

    digits: dict[SplitName, PositiveInt]
    """Source digits of each split, as many of each class."""
    pairs: dict[SplitName, PositiveInt]
    """Images of two digits that are composed from them, in each split."""

    @staticmethod
    @abstractmethod
    def source() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """All single digits, ``(digits, side, side)``, and their classes."""

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        return Task("left", "classification", 10), Task("right", "classification", 10)

    @property
    @override
    def image_shape(self) -> tuple[int, int, int]:
        return 1, self.canvas, self.canvas

    @override
    def training_samples(self, source: SourceConfig | None) -> int:
        return self.pairs["train"]

    @override
    def compose(self, place: Path = Path()) -> Composed:
        """Images and labels of each split.

        The source digits are split first, class by class, so that no digit is in two splits. Each image holds two
        digits, joined by the pixelwise maximum.

        Returns:
            For each split ``images`` of shape ``(pairs, canvas, canvas)``, uint8, and ``left``, ``right`` of shape
            ``(pairs,)``.

        Raises:
            DGRError: more source digits are asked for than there are.
        """
        parts, canvas, offsets = self._composition()
        splits: dict[SplitName, dict[str, NDArray[np.generic]]] = {}
        for split, arrays in self._drawn(self.seed).items():
            images = overlay(parts, arrays.pop(PARTS), canvas, offsets)
            splits[split] = {"images": images, **arrays}
        return Composed(splits)

    @override
    def compose_for(self, seed: int) -> Composed:
        return Composed(self._drawn(seed), composition=self._composition())

    def _composition(self) -> Composition:
        shift = self.canvas - self.side
        return Composition(self.source()[0], (self.canvas, self.canvas), ((0, 0), (shift, shift)))

    def _drawn(self, seed: int) -> dict[SplitName, dict[str, NDArray[np.int64]]]:
        """For each split which digits stand on each image, ``(pairs, 2)``, and their classes."""
        labels = self.source()[1]
        generator = np.random.default_rng(seed)
        splits = {}
        for split, members in split_by_class(labels, self.digits, generator).items():
            left, right = generator.choice(members, size=(2, self.pairs[split]))
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
        raise DGRError(f"Source digits {sizes} must be multiples of {len(classes)} and at most {available} together.")
    shuffled = [generator.permutation(np.flatnonzero(labels == c)) for c in classes]
    bounds = np.cumsum([0, *(size // len(classes) for size in sizes.values())])
    return {
        split: np.concatenate([members[start:stop] for members in shuffled])
        for split, start, stop in zip(sizes, bounds[:-1], bounds[1:], strict=True)
    }
