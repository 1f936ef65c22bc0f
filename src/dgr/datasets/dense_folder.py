"""Dense data sets as folders of numbered files: listing, pairing, splitting, reading, and making such a folder.

The layout is ``SOURCE/{train,val}/FOLDER/{number}.SUFFIX``: a folder for each modality, a file for each picture.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from pydantic import PositiveInt
from typing_extensions import override

from dgr.config.datasets import Composed, FetchedDataset, RandomSeed, Share
from dgr.config.runs import SplitName
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.files import cannot_write, read_json
from dgr.datasets.input_files import Array, refusal

CONVERSION = "conversion.json"
"""Beside ``train`` and ``val``: how a converter of this project made the folder. Others have none."""
NUMBER = re.compile(r"0|[1-9][0-9]*")

SplitArrays = dict[str, Array]


class DenseFolder(FetchedDataset):
    """NYUv2 or CityScapes in the pre-processed layout of folders ``train`` and ``val``.

    Its ``val`` is the test split here; the validation split is a share of its ``train``.
    """

    height: PositiveInt
    """Of the frames, in pixels."""
    width: PositiveInt
    """Of the frames, in pixels."""
    validation_share: Share
    """Share of the layout's ``train`` that validates."""
    seed: RandomSeed

    @property
    @override
    def image_shape(self) -> tuple[int, int, int]:
        return 3, self.height, self.width

    @override
    def training_samples(self, source: SourceConfig | None) -> int | None:
        """Known where the source says how many files like ``train/image/…`` it holds."""
        patterns = source.contents.patterns if source else {}
        images = next((count for pattern, count in patterns.items() if pattern.startswith("train/image/")), None)
        return None if images is None else images - round(images * self.validation_share)


@dataclass(frozen=True)
class Layer:
    """One folder of numbered files, and the array that is filled from it.

    Attributes:
        array: name of the array.
        folder: name of the folder below ``train`` and ``val``.
        suffix: of its files.
        read: a file's values as they are.
        channels: of a file, after its height and width; empty where a file has only these two.
        shape: of the array between its samples and its height and width; empty for labels.
        dtype: of the array.
        decode: a file's values as the array holds them; refuses what they cannot be. The path is for its message.
        marks: pixels whose share is worth a line in the report, by name, as a mask of a file's values.
    """

    array: str
    folder: str
    suffix: str
    read: Callable[[Path], Array]
    channels: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: DTypeLike
    decode: Callable[[Array, Path], Array]
    marks: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)

    def path(self, side: Path, number: int) -> Path:
        """Where the file of this number lies."""
        return side / self.folder / f"{number}{self.suffix}"


def read_layers(config: DenseFolder, source: Path, layers: Sequence[Layer]) -> Composed:
    """The arrays of each split, each allocated once and filled, and a report.

    The source's ``val`` is the split ``test``; ``val`` is taken from the source's ``train``. Samples stand in the order
    of their numbers. These do not say where a picture was taken: ``train`` and ``val`` may show the same place.

    Returns:
        Arrays by split and name; and by split ``files`` and the ``shares`` of marked pixels, ``copies`` (images equal
        to one of another split), and ``conversion`` where there is one.

    Raises:
        DGRError: a folder or file is missing, damaged, of another size, or holds impossible values.
    """
    train, val = split_validation(paired_numbers(source / "train", layers), config, source)
    test = paired_numbers(source / "val", layers)
    splits: dict[SplitName, SplitArrays] = {}
    shares: dict[str, dict[str, float]] = {}
    members: dict[SplitName, tuple[str, list[int]]] = {"train": ("train", train), "val": ("train", val)}
    for split, (side, chosen) in (members | {"test": ("val", test)}).items():
        splits[split], shares[split] = _read_split(source / side, chosen, layers, (config.height, config.width))
    images = {split: arrays["images"] for split, arrays in splits.items()}
    files = {split: len(found) for split, found in images.items()}
    report: dict[str, Any] = {"files": files, "shares": shares, "copies": copies(list(images.values()))}
    if (source / CONVERSION).exists():
        report["conversion"] = read_json(source / CONVERSION, "delete it, or convert the data set again")
    return Composed(splits, report)


def paired_numbers(side: Path, layers: Sequence[Layer]) -> list[int]:
    """The numbers of the files in every layer's folder, in numeric order.

    Raises:
        DGRError: a folder is missing or empty, a name is no number, or a file has no counterpart.
    """
    first, *others = layers
    found = _numbers_in(side / first.folder, first.suffix)
    if not found:
        raise DGRError(f"{side / first.folder} holds no {first.suffix} files; put the data set there.")
    for layer in others:
        numbers = _numbers_in(side / layer.folder, layer.suffix)
        if numbers != found:
            odd = min(numbers ^ found)
            present, missing = (first, layer) if odd in found else (layer, first)
            raise DGRError(
                f"{missing.path(side, odd)} is missing, but {present.path(side, odd)} is there ({len(found)} files in "
                f"{first.folder}, {len(numbers)} in {layer.folder}); complete the copy of the data set."
            )
    return sorted(found)


def _numbers_in(folder: Path, suffix: str) -> set[int]:
    try:
        stems = [path.stem for path in folder.iterdir() if path.suffix == suffix and not path.name.startswith(".")]
    except OSError as error:
        raise DGRError(f"{folder} cannot be listed ({error.strerror}); put the data set's folder there.") from error
    for stem in stems:
        if not NUMBER.fullmatch(stem):
            raise DGRError(f"{folder / stem}{suffix} is not named by a plain number; rename or remove it.")
    return set(map(int, stems))


def split_validation(numbers: list[int], config: DenseFolder, source: Path) -> tuple[list[int], list[int]]:
    """Numbers for training, and ``round(validation_share · count)`` drawn for validation, each in numeric order.

    Raises:
        DGRError: one of them would be empty.
    """
    size = round(config.validation_share * len(numbers))
    if not 0 < size < len(numbers):
        raise DGRError(
            f"{source / 'train'} has {len(numbers)} pictures, of which validation_share {config.validation_share} "
            f"takes {size}; choose a share that leaves some on both sides."
        )
    shuffled = np.random.default_rng(config.seed).permutation(numbers).tolist()
    return sorted(shuffled[size:]), sorted(shuffled[:size])


def _read_split(
    side: Path, numbers: Sequence[int], layers: Sequence[Layer], size: tuple[int, int]
) -> tuple[SplitArrays, dict[str, float]]:
    """Arrays, and the share of each kind of marked pixels."""
    arrays: SplitArrays = {layer.array: np.empty((len(numbers), *layer.shape, *size), layer.dtype) for layer in layers}
    marked = {name: 0 for layer in layers for name in layer.marks}
    for row, number in enumerate(numbers):
        for layer in layers:
            path = layer.path(side, number)
            values = layer.read(path)
            if values.shape != (expected := (*size, *layer.channels)):
                raise refusal(path, f"has shape {values.shape}, but the configuration asks for {expected}")
            decoded = layer.decode(values, path)
            arrays[layer.array][row] = np.moveaxis(decoded, -1, 0) if layer.channels else decoded
            for name, mask in layer.marks.items():
                marked[name] += int(np.count_nonzero(mask(values)))
    return arrays, {name: count / (len(numbers) * size[0] * size[1]) for name, count in marked.items()}


def check_values(values: Array, path: Path, kinds: str, low: float, high: float, unit: str = "") -> None:
    """Refuse, with a DGRError, values that are not numbers in ``low … high`` of one of these ``numpy.dtype.kind``."""
    if values.dtype.kind not in kinds:
        raise refusal(path, f"holds {values.dtype}, but {'fractions' if kinds == 'f' else 'numbers'} are expected")
    least, most = values.min(), values.max()
    if not (low <= least and most <= high):
        allowed = f"{low:.9g}…{high:.9g}{unit}"
        raise refusal(path, f"holds values from {least:.9g} to {most:.9g}, but they must lie in {allowed}")


def copies(images: Sequence[Array]) -> int:
    """How many images of one split are equal, byte by byte, to one of another."""
    distinct = [{hashlib.sha256(image.tobytes()).digest() for image in split} for split in images]
    return sum(map(len, distinct)) - len(set().union(*distinct))


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``target`` when the block ends well and vanishes when it does not.

    Raises:
        DGRError: the target exists already, or cannot be written.
    """
    if target.exists():
        raise DGRError(f"{target} exists already; remove it, or name another folder.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
            folder = Path(temporary) / target.name
            folder.mkdir()
            yield folder
            folder.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from error
