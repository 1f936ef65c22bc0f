"""CityScapes, pre-processed: 19 classes, 10 classes of parts, and disparity of street scenes at 256×512.

Cordts et al., CVPR 2016; parts from Cityscapes-Panoptic-Parts, Meletis et al., arXiv 2004.07944. The layout is that of
the authors' code: ``{train,val}/{image,depth,seg}/{number}.png`` and ``part_seg/{number}.tif``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from typing_extensions import override

from dgr.config.datasets import Composed
from dgr.core.task import VOID, Task
from dgr.datasets.dense_folder import DenseFolder, Layer, check_values, read_layers
from dgr.datasets.input_files import Array, read_image, refusal

TRAINED_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""The label ids that are evaluated, in the order of their 19 classes; all other ids are void."""
LABEL_IDS = 34
CLASS_OF_ID = np.full(LABEL_IDS, VOID, np.int8)
CLASS_OF_ID[list(TRAINED_IDS)] = np.arange(len(TRAINED_IDS))

PART_CLASSES = 10
PART_CLASS = np.zeros((LABEL_IDS, 100), np.int8)
"""By label id and part id: 0 background; 1 torso, 2 head, 3 arms, 4 legs of persons (24) and riders (25);
5 windows, 6 wheels, 7 lights, 8 licence plate, 9 chassis of cars (26), trucks (27) and buses (28)."""
PART_CLASS[24:26, 1:5] = (1, 2, 3, 4)
PART_CLASS[26:29, 1:6] = (5, 6, 7, 8, 9)

DISPARITY_UNITS = 1024
"""Files hold 1 + 256·disparity in pixels of the full width 2048; a quarter of it at the width 512."""


class Config(DenseFolder):
    """CityScapes in its pre-processed layout."""

    kind: Literal["cityscapes"]

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        return (
            Task("segmentation", "segmentation", len(TRAINED_IDS)),
            Task("parts", "segmentation", PART_CLASSES),
            Task("disparity", "disparity"),
        )

    @override
    def compose(self, place: Path) -> Composed:
        """Images and targets of each split, and a report, see :func:`dgr.datasets.dense_folder.read_layers`.

        A disparity of exactly zero (value 1, infinitely far) cannot be told from an invalid one (value 0) and is left
        out of loss and metrics, where the authors' code keeps it; the report says how many pixels this concerns.

        Args:
            place: a folder with ``train`` and ``val``; files hold ``image`` (RGB, 8 bit), ``depth`` (disparity value
                v, 16 bit, 0 where invalid), ``seg`` (label ids 0…33) and ``part_seg`` (Panoptic-Parts uids).

        Returns:
            For each split ``images`` ``(samples, 3, height, width)``, uint8; ``segmentation``
            ``(samples, height, width)``, int8, 19 classes, −1 where void; ``parts``, the same shape, int8, 10 classes
            with 0 the background; ``disparity`` ``(samples, 1, height, width)``, float32, ``(v − 1) / 1024``, 0 where
            invalid. The report's shares are ``void``, ``invalid_disparity`` and ``zero_disparity``.

        Raises:
            DGRError: a file is missing, damaged, of another size, or holds impossible values.
        """
        return read_layers(self, place, _LAYERS)


def label_and_part_ids(uids: Array) -> tuple[Array, Array]:
    """Label ids and part ids of Panoptic-Parts uids; part 0 where none is given.

    With label id s, instance i and part p, a uid is ``s``, ``1000·s + i``, or ``100000·s + 100·i + p``.
    """
    whole = np.where(uids < 100, uids * 100_000, np.where(uids < 100_000, uids * 100, uids))
    return whole // 100_000, whole % 100


def _image(values: Array, path: Path) -> Array:
    check_values(values, path, "u", 0, 255)
    return values


def _classes(values: Array, path: Path) -> Array:
    check_values(values, path, "iu", 0, LABEL_IDS - 1)
    return CLASS_OF_ID[values]


def _parts(values: Array, path: Path) -> Array:
    check_values(values, path, "iu", 0, LABEL_IDS * 100_000 - 1)
    uids = values.astype(np.int64)
    labels, parts = label_and_part_ids(uids)
    # No uid has three digits, and five digits may still hold an id that does not exist.
    impossible = ((uids >= 100) & (uids < 1000)) | (labels >= LABEL_IDS)
    if impossible.any():
        raise refusal(path, f"holds {uids[impossible][0]}, which is no Panoptic-Parts uid")
    return PART_CLASS[labels, parts]


def _disparity(values: Array, path: Path) -> Array:
    check_values(values, path, "iu", 0, 65535)
    if values.dtype.itemsize == 1:
        raise refusal(path, "holds 8 bits a pixel, but disparity has 16")
    return np.maximum(values.astype(np.float32) - 1, 0) / DISPARITY_UNITS


_LAYERS = (
    Layer("images", "image", ".png", read_image, (3,), (3,), np.uint8, _image),
    Layer(
        "segmentation",
        "seg",
        ".png",
        read_image,
        (),
        (),
        np.int8,
        _classes,
        {"void": lambda ids: CLASS_OF_ID[ids] == VOID},
    ),
    Layer("parts", "part_seg", ".tif", read_image, (), (), np.int8, _parts),
    Layer(
        "disparity",
        "depth",
        ".png",
        read_image,
        (),
        (1,),
        np.float32,
        _disparity,
        {"invalid_disparity": lambda values: values == 0, "zero_disparity": lambda values: values == 1},
    ),
)
