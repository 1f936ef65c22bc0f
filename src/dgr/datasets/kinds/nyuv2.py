"""NYUv2, pre-processed: 13 classes, depth and surface normals of indoor scenes at 288×384.

Silberman, Hoiem, Kohli, Fergus, ECCV 2012. The layout is that of the authors' code (795 and 654 pictures):
``{train,val}/{image,label,depth,normal}/{number}.npy``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from typing_extensions import override

from dgr.config.datasets import Composed
from dgr.core.task import VOID, Task
from dgr.datasets.dense_folder import DenseFolder, Layer, check_values, read_layers
from dgr.datasets.input_files import Array, read_array, refusal

NYUV2_CLASSES = 13
FARTHEST = 100.0
"""Metres that no depth in a room exceeds, but millimetres do."""
SLACK = 1e-3
"""How far intensities may lie beyond 0…1 and components of normals beyond ±1, since interpolation is not exact."""


class Config(DenseFolder):
    """NYUv2 in its pre-processed layout."""

    kind: Literal["nyuv2"]

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        return Task("segmentation", "segmentation", NYUV2_CLASSES), Task("depth", "depth"), Task("normals", "normals")

    @override
    def compose(self, place: Path) -> Composed:
        """Images and targets of each split, and a report, see :func:`dgr.datasets.dense_folder.read_layers`.

        Args:
            place: a folder with ``train`` and ``val``; files hold ``image`` ``(height, width, 3)`` in [0, 1],
                ``label`` ``(height, width)`` of whole numbers −1 (void) … 12, ``depth`` ``(height, width, 1)`` in
                metres (0 where invalid) and ``normal`` ``(height, width, 3)`` (0 where invalid).

        Returns:
            For each split ``images`` ``(samples, 3, height, width)``, uint8: intensities times 255, rounded, so that
            they differ from the files by up to 1/510; ``segmentation`` ``(samples, height, width)``, int8, −1 where
            void; ``depth`` ``(samples, 1, height, width)``, float32, metres, 0 where invalid; ``normals``
            ``(samples, 3, height, width)``, float32, of unit length, zero where invalid. The report's shares are
            ``void``, ``invalid_depth`` and ``invalid_normals``.

        Raises:
            DGRError: a file is missing, damaged, of another size, or holds impossible values.
        """
        return read_layers(self, place, _LAYERS)


def _image(values: Array, path: Path) -> Array:
    check_values(values, path, "f", -SLACK, 1 + SLACK)
    rounded: Array = np.rint(values * 255).astype(np.uint8)
    return rounded


def _labels(values: Array, path: Path) -> Array:
    # Stored as fractions by some.
    check_values(values, path, "iuf", VOID, NYUV2_CLASSES - 1)
    labels = values.astype(np.int8)
    if not np.array_equal(labels, values):
        raise refusal(path, "holds labels that are not whole numbers")
    return labels


def _depth(values: Array, path: Path) -> Array:
    check_values(values, path, "f", 0, FARTHEST, " metres")
    return values


def _normals(values: Array, path: Path) -> Array:
    check_values(values, path, "f", -1 - SLACK, 1 + SLACK)
    vectors = values.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if vectors.min() >= 0 and np.abs(lengths[lengths > 0] - 1).sum() > 0.05 * np.count_nonzero(lengths):
        raise refusal(path, "holds normals without a negative component and not of length 1, as (n + 1)/2 would be")
    units: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units


_LAYERS = (
    Layer("images", "image", ".npy", read_array, (3,), (3,), np.uint8, _image),
    Layer(
        "segmentation", "label", ".npy", read_array, (), (), np.int8, _labels, {"void": lambda labels: labels == VOID}
    ),
    Layer(
        "depth",
        "depth",
        ".npy",
        read_array,
        (1,),
        (1,),
        np.float32,
        _depth,
        {"invalid_depth": lambda depth: depth == 0},
    ),
    Layer(
        "normals",
        "normal",
        ".npy",
        read_array,
        (3,),
        (3,),
        np.float32,
        _normals,
        {"invalid_normals": lambda normals: (normals == 0).all(axis=-1, keepdims=True)},
    ),
)
