"""Data sets that are drawn anew for each seed, and images that are composed when they are read.

Such a data set's folder has a folder ``seed-N`` for each seed, with the arrays of that seed's splits. Where images are
made of parts, as pairs of digits are, ``parts.npy`` lies there once for all seeds, and a seed's ``SPLIT_parts.npy``
says which parts each image has: a thousandth of what the images would take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dgr.core.errors import DGRError

PARTS = "parts"


def folder_of(folder: Path, manifest: Mapping[str, Any], seed: int | None) -> Path:
    """Where the arrays of a seed's splits are: the data set's folder itself, unless it is drawn anew for each seed.

    Args:
        folder: of the prepared data set.
        manifest: its manifest.
        seed: of a run; None for the first that there is.

    Raises:
        DGRError: the data set was not drawn for that seed.
    """
    seeds = manifest.get("seeds")
    if not seeds:
        return folder
    if seed is not None and seed not in seeds:
        raise DGRError(
            f"Data set '{folder.name}' is drawn for seeds {seeds[0]} to {seeds[-1]} and others of paper_configs/"
            f"datasets.yaml, but not for seed {seed}; add it there, and run `python -m dgr plan`."
        )
    return folder / f"seed-{seeds[0] if seed is None else seed}"


def images_of(folder: Path, manifest: Mapping[str, Any], seed: int | None, split: str) -> NDArray[np.generic]:
    """The images of a split as stored, ``(samples, [channels,] height, width)``; mapped where they lie in a file.

    Raises:
        DGRError: as :func:`folder_of`.
        OSError: an array is missing.
        ValueError: an array is damaged.
    """
    place = folder_of(folder, manifest, seed)
    composition = manifest.get("composition")
    if composition is None:
        # Mapped copy-on-write: torch wants memory that it might write to.
        mapped: NDArray[np.generic] = np.load(place / f"{split}_images.npy", mmap_mode="c", allow_pickle=False)
        return mapped
    parts = np.load(folder / f"{PARTS}.npy", mmap_mode="r", allow_pickle=False)
    # Mapped first: a header that promises more than the file holds takes no memory.
    rows = np.array(np.load(place / f"{split}_{PARTS}.npy", mmap_mode="r", allow_pickle=False))
    return overlay(parts, rows, composition["canvas"], composition["offsets"])


def overlay(
    parts: NDArray[np.uint8], rows: NDArray[np.int64], canvas: Sequence[int], offsets: Sequence[Sequence[int]]
) -> NDArray[np.uint8]:
    """Each image's parts at their places, joined by the pixelwise maximum.

    Args:
        parts: shape ``(parts, height, width)``.
        rows: which part stands at each place, shape ``(images, places)``.
        canvas: height and width of an image.
        offsets: of each place, its upper left corner: row and column.

    Returns:
        Shape ``(images, *canvas)``; 0 where no part is.
    """
    images = np.zeros((len(rows), *canvas), parts.dtype)
    height, width = parts.shape[1:]
    for (top, left), chosen in zip(offsets, rows.T, strict=True):
        place = images[:, top : top + height, left : left + width]
        np.maximum(place, parts[chosen], out=place)
    return images
