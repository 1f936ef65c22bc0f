"""NYUv2, pre-processed: 13 classes, depth and surface normals of indoor scenes at 288×384.

Silberman, Hoiem, Kohli, Fergus, ECCV 2012. The layout is that of the authors' code (795 and 654 pictures):
``{train,val}/{image,label,depth,normal}/{number}.npy``.
"""

from __future__ import annotations

import tokenize
from pathlib import Path
from typing import Any

import numpy as np

from dgr.config.datasets import DenseFolderConfig
from dgr.config.runs import SplitName
from dgr.core.task import VOID, Task
from dgr.datasets.dense_folder import Array, Arrays, Layer, check_values, read_layers, refusal

CLASSES = 13
TASKS = (Task("segmentation", "segmentation", CLASSES), Task("depth", "depth"), Task("normals", "normals"))
SLACK = 1e-3
"""How far intensities may lie beyond 0…1 and components of normals beyond ±1, since interpolation is not exact."""


def compose(config: DenseFolderConfig, source: Path) -> tuple[dict[SplitName, Arrays], dict[str, Any]]:
    """Images and targets of each split, and a report, see :func:`dgr.datasets.dense_folder.read_layers`.

    Args:
        config: the settings.
        source: a folder with ``train`` and ``val``; files hold ``image`` ``(height, width, 3)`` in [0, 1], ``label``
            ``(height, width)`` of whole numbers −1 (void) … 12, ``depth`` ``(height, width, 1)`` in metres (0 where
            invalid) and ``normal`` ``(height, width, 3)`` (0 where invalid).

    Returns:
        For each split ``images`` ``(samples, 3, height, width)``, uint8: intensities times 255, rounded, so that they
        differ from the files by up to 1/510; ``segmentation`` ``(samples, height, width)``, int8, −1 where void;
        ``depth`` ``(samples, 1, height, width)``, float32, metres, 0 where invalid; ``normals``
        ``(samples, 3, height, width)``, float32, of unit length, zero where invalid. The report's shares are ``void``,
        ``invalid_depth`` and ``invalid_normals``.

    Raises:
        DGRError: a file is missing, damaged, of another size, or holds impossible values.
    """
    return read_layers(config, source, LAYERS)


def read(path: Path) -> Array:
    """An array of an ``.npy`` file, mapped, so that a damaged header that promises gigabytes takes no memory.

    Raises:
        DGRError: it is missing or damaged, or holds pickled objects, which are never loaded.
    """
    try:
        values: Array = np.lib.format.open_memmap(path, mode="r")  # never unpickles
    except (OSError, ValueError, tokenize.TokenError) as error:
        raise refusal(path, f"is not a readable array of numbers ({error})") from error
    return values


def _image(values: Array, path: Path) -> Array:
    check_values(values, path, "f", -SLACK, 1 + SLACK)
    rounded: Array = np.rint(values * 255).astype(np.uint8)
    return rounded


def _labels(values: Array, path: Path) -> Array:
    # Stored as fractions by some.
    check_values(values, path, "iuf", VOID, CLASSES - 1)
    labels = values.astype(np.int8)
    if not np.array_equal(labels, values):
        raise refusal(path, "holds labels that are not whole numbers")
    return labels


def _depth(values: Array, path: Path) -> Array:
    check_values(values, path, "f", 0, float(np.finfo(np.float32).max))
    return values


def _normals(values: Array, path: Path) -> Array:
    check_values(values, path, "f", -1 - SLACK, 1 + SLACK)
    vectors = values.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    units: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units


LAYERS = (
    Layer("images", "image", ".npy", read, (3,), (3,), np.uint8, _image),
    Layer("segmentation", "label", ".npy", read, (), (), np.int8, _labels, {"void": lambda labels: labels == VOID}),
    Layer("depth", "depth", ".npy", read, (1,), (1,), np.float32, _depth, {"invalid_depth": lambda depth: depth == 0}),
    Layer(
        "normals",
        "normal",
        ".npy",
        read,
        (3,),
        (3,),
        np.float32,
        _normals,
        {"invalid_normals": lambda normals: (normals == 0).all(axis=-1, keepdims=True)},
    ),
)
