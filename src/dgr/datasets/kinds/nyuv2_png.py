"""NYUv2 as single pictures: 13 classes and depth of the 1,449 labelled indoor scenes, at any size up to the files'.

Silberman, Hoiem, Kohli, Fergus, ECCV 2012. The layout is ``nyu_images/{i}.jpg``, ``nyu_depths/{i}.png``,
``nyu_labels40/{i}.png``, ``splits.mat`` and ``class13Mapping.mat``. Picture i is the official i + 1, mirrored left and
right in all three layers. Depth comes in steps of 10/255 m, and void is one label with "other prop": not the release
that published tables are about.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from typing_extensions import override

from dgr.config.datasets import Composed
from dgr.config.runs import SplitName
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.task import VOID, Task
from dgr.datasets.dense_folder import DenseFolder, Layer, SplitArrays, copies, paired_numbers, split_validation
from dgr.datasets.input_files import Array, read_image, refusal
from dgr.datasets.matlab import matlab_list

CLASSES = 13
_LABELS = 40
"""In the files: the 40-class number less one; void is among the last."""
METRES = 10 / 255
"""Of one step of the depth files."""
PICTURES, TRAINING_PICTURES = 1449, 795
"""Of the official split, 654 test."""
_FOLDERS = {"images": "nyu_images", "segmentation": "nyu_labels40", "depth": "nyu_depths"}
"""Of each array."""
MOST_MIRRORED = 0.02
"""Share of pictures of which one layer may seem mirrored: four in the 1,449 as they are, 98 in 100 where one is."""


class Config(DenseFolder):
    """NYUv2 as single pictures; two tasks, since normals from depth in such steps are poor."""

    kind: Literal["nyuv2_png"]

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        return Task("segmentation", "segmentation", CLASSES), Task("depth", "depth")

    @override
    def training_samples(self, source: SourceConfig | None) -> int | None:
        """Known where the source says that it holds all pictures."""
        patterns = source.contents.patterns if source else {}
        if not any(pattern.startswith("nyu_images/") and count == PICTURES for pattern, count in patterns.items()):
            return None
        return TRAINING_PICTURES - round(TRAINING_PICTURES * self.validation_share)

    @override
    def compose(self, place: Path) -> Composed:
        """Images and targets of each split, and a report.

        The official split's pictures for training are split once more, by the seed. Where fewer pixels are configured
        than the files have, images are reduced by Pillow's bilinear filter, which averages over the area of a new
        pixel; labels and depth are those of the nearest pixel, since an average of either means nothing.

        Args:
            place: a folder with the layout that stands above.

        Returns:
            For each split ``images`` ``(samples, 3, height, width)``, uint8; ``segmentation``
            ``(samples, height, width)``, int8, −1 where void; ``depth`` ``(samples, 1, height, width)``, float32,
            metres, 0 where invalid. In the report: ``files`` by split; ``shares`` of pixels that are ``void`` or of
            ``invalid_depth``; ``copies``, images equal to one of another split; and ``fit_better_mirrored``, by
            array the number of pictures that fit neither other layer unless mirrored, see :func:`fits_mirrored`.

        Raises:
            DGRError: a file is missing, damaged, of another size than the first, smaller than configured, or holds a
                label outside its set; the split is not one of these pictures; or a layer is mirrored and the others
                are not.
        """
        layers = self._layers(_class_table(place / "class13Mapping.mat"))
        numbers = paired_numbers(place, layers)
        train, test = _official_split(place / "splits.mat", numbers)
        train, val = split_validation(train, self, place)
        members: dict[SplitName, list[int]] = {"train": train, "val": val, "test": test}
        size = read_image(first := layers[0].path(place, numbers[0])).shape[:2]
        if size[0] < self.height or size[1] < self.width:
            raise DGRError(
                f"{first} has {size[0]}×{size[1]} pixels, fewer than the {self.height}×{self.width} that are "
                "configured, and nothing is enlarged; configure fewer, or take the full pictures."
            )
        splits = {split: self._read(place, chosen, layers, size) for split, chosen in members.items()}
        found = sum(_mirrored(arrays).sum(axis=0) for arrays in splits.values())
        mirrored = dict(zip(_FOLDERS, found.tolist(), strict=True))
        _check_mirrored(mirrored, len(numbers), place)
        report = {
            "files": {split: len(chosen) for split, chosen in members.items()},
            "shares": {split: _shares(arrays) for split, arrays in splits.items()},
            "copies": copies([arrays["images"] for arrays in splits.values()]),
            "fit_better_mirrored": mirrored,
        }
        return Composed(splits, report)

    def _layers(self, classes: Array) -> tuple[Layer, ...]:
        """Images, labels and depth, brought to the configured size."""

        def scaled(values: Array, way: Image.Resampling = Image.Resampling.NEAREST) -> Array:
            if values.shape[:2] == (self.height, self.width):
                return values
            return np.asarray(Image.fromarray(values).resize((self.width, self.height), way))

        def to_classes(values: Array, path: Path) -> Array:
            if values.max() >= _LABELS:
                raise refusal(path, f"holds label {values.max()}, but labels are 0…{_LABELS - 1}")
            found: Array = classes[scaled(values)]
            return found

        def to_metres(values: Array, path: Path) -> Array:
            metres: Array = scaled(values) * METRES
            return metres

        def to_pixels(values: Array, path: Path) -> Array:
            return scaled(values, Image.Resampling.BILINEAR)

        return (
            Layer("images", _FOLDERS["images"], ".jpg", read_image, (3,), (3,), np.uint8, to_pixels),
            Layer("segmentation", _FOLDERS["segmentation"], ".png", read_image, (), (), np.int8, to_classes),
            Layer("depth", _FOLDERS["depth"], ".png", read_image, (), (1,), np.float32, to_metres),
        )

    def _read(self, place: Path, numbers: list[int], layers: tuple[Layer, ...], size: tuple[int, ...]) -> SplitArrays:
        arrays = {
            layer.array: np.empty((len(numbers), *layer.shape, self.height, self.width), layer.dtype)
            for layer in layers
        }
        for row, number in enumerate(numbers):
            for layer in layers:
                values = layer.read(path := layer.path(place, number))
                if values.shape != (wanted := (*size, *layer.channels)) or values.dtype != np.uint8:
                    raise refusal(
                        path, f"has {values.dtype} values of shape {values.shape}, but uint8 of {wanted} is expected"
                    )
                decoded = layer.decode(values, path)
                arrays[layer.array][row] = np.moveaxis(decoded, -1, 0) if layer.channels else decoded
        return arrays


def fits_mirrored(first: Array, second: Array) -> bool:
    r"""Whether two layers' edges would meet more if one were mirrored left and right.

    How much they meet is :math:`\sum_p\sqrt{|\partial_x f|\,|\partial_x s|}` over differences of pixels side by side.

    Args:
        first: ``(height, width)``.
        second: the same shape.
    """
    edges, others = (np.sqrt(np.abs(np.diff(layer, axis=1))) for layer in (first, second))
    return bool((edges[:, ::-1] * others).sum() > (edges * others).sum())


def _mirrored(arrays: SplitArrays) -> Array:
    """Which layers of which pictures fit neither other unless mirrored, ``(pictures, 3)``; rarely any by chance."""
    found = np.zeros((len(arrays["images"]), len(_FOLDERS)), bool)
    for row, (image, labels, depth) in enumerate(zip(*(arrays[name] for name in _FOLDERS), strict=True)):
        layers = image.mean(axis=0), labels.astype(int), depth[0]
        pairs = {(a, b): fits_mirrored(layers[a], layers[b]) for a, b in combinations(range(len(layers)), 2)}
        found[row] = [all(better for pair, better in pairs.items() if layer in pair) for layer in range(len(layers))]
    return found


def _check_mirrored(mirrored: dict[str, int], pictures: int, place: Path) -> None:
    array, count = max(mirrored.items(), key=lambda item: item[1])
    if count > MOST_MIRRORED * pictures:
        raise DGRError(
            f"{place / _FOLDERS[array]} does not fit the other layers: {count} of {pictures} pictures would if they "
            "were mirrored left and right; mirror all three layers or none."
        )


def _shares(arrays: SplitArrays) -> dict[str, float]:
    return {
        "void": float((arrays["segmentation"] == VOID).mean()),
        "invalid_depth": float((arrays["depth"] == 0).mean()),
    }


def _official_split(path: Path, numbers: list[int]) -> tuple[list[int], list[int]]:
    """The numbers of the files for training and for testing, each in numeric order."""
    train, test = (sorted((_whole_numbers(path, name) - 1).tolist()) for name in ("trainNdxs", "testNdxs"))
    if sorted(train + test) != numbers or not (train and test):
        raise DGRError(
            f"{path} must name each of the {len(numbers)} pictures once, counted from 1, for training or for testing, "
            f"but names {len(train)} and {len(test)}, not these; fetch the source again."
        )
    return train, test


def _class_table(path: Path) -> Array:
    """Class 0…12 by label of the files, −1 for the label that void is among; int8."""
    thirteen = _whole_numbers(path, "classMapping13")
    if len(thirteen) != _LABELS or set(thirteen.tolist()) != set(range(1, CLASSES + 1)):
        raise DGRError(f"{path} does not lead from {_LABELS} classes to all of 1…{CLASSES}; fetch the source again.")
    table = (thirteen - 1).astype(np.int8)
    table[-1] = VOID
    return table


def _whole_numbers(path: Path, name: str) -> Array:
    """A list of numbers in a MATLAB file before 7.3: a variable, or the first field of a structure."""
    found = matlab_list(path, name)
    if found.dtype.kind not in "iu":
        raise DGRError(f"{path} holds no list '{name}' of whole numbers; fetch the source again.")
    return found.astype(np.int64)
