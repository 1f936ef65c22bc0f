"""A folder of pictures of ten classes, ``train/CLASS/*`` and ``test/CLASS/*``: CIFAR-10 as files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveInt
from torch import Tensor

from dgr.config.parsing import Strict
from dgr.config.runs import SplitName
from dgr.core.errors import DGRError
from dgr.core.seeds import seed_for
from dgr.datasets.digit_pairs import split_by_class
from dgr.datasets.input_files import opened_image

PICTURE_SIDE = 32
PictureClass = Literal["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
PICTURE_CLASSES: tuple[str, ...] = get_args(PictureClass)
PICTURE_FOLDERS = ("train", "test")


class PictureSizes(Strict):
    """Pictures of each split, as many of each class."""

    train: PositiveInt
    """What methods train on."""
    val: PositiveInt
    """With right labels: held out, or what learning rates are chosen by."""
    test: PositiveInt
    """What results are measured on."""


class Pictures:
    """Every picture once: ``images`` ``(pictures, 3, 32, 32)``, uint8, and ``labels`` ``(pictures,)``, int64.

    Both folders together, each picture once: of pictures with the same pixels the first is kept, or none where their
    classes contradict each other. So no picture is in two splits, whatever is drawn.

    Args:
        place: the source's folder.

    Raises:
        DGRError: a folder that is no class, a class without pictures, or a picture that is damaged or of another size.
    """

    def __init__(self, place: Path) -> None:
        found: dict[bytes, list[int]] = {}
        for folder in PICTURE_FOLDERS:
            for label, path in _files(place / folder):
                found.setdefault(_pixels(path).tobytes(), []).append(label)
        kept = {content: labels[0] for content, labels in found.items() if len(set(labels)) == 1}
        self.images: NDArray[np.uint8] = np.frombuffer(b"".join(kept), np.uint8).reshape(
            -1, 3, PICTURE_SIDE, PICTURE_SIDE
        )
        self.labels: NDArray[np.int64] = np.array(list(kept.values()), np.int64)

    def draw(self, sizes: PictureSizes, experiment: str, seed: int) -> dict[str, tuple[Tensor, Tensor]]:
        """Pictures in [−1, 1], ``(pictures, 3, 32, 32)``, and classes of each split; splits share no picture.

        Raises:
            DGRError: there are too few pictures of a class.
        """
        least = int(np.bincount(self.labels, minlength=len(PICTURE_CLASSES)).min())
        wanted: dict[SplitName, int] = {"train": sizes.train, "val": sizes.val, "test": sizes.test}
        if (total := sum(wanted.values())) > least * len(PICTURE_CLASSES):
            raise DGRError(
                f"{total} pictures are asked for, {total // len(PICTURE_CLASSES)} of each class, but a class has only "
                f"{least}; lower the sizes in the study's file."
            )
        generator = np.random.default_rng(seed_for(experiment, seed, "split"))
        rows = split_by_class(self.labels, wanted, generator)
        inputs = torch.from_numpy(self.images.astype(np.float32) / 127.5 - 1)
        targets = torch.from_numpy(self.labels)
        return {str(name): (inputs[chosen], targets[chosen]) for name, chosen in rows.items()}


def _files(folder: Path) -> list[tuple[int, Path]]:
    """The class and the path of each picture, in the order of names."""
    here = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if odd := sorted(set(here) ^ set(PICTURE_CLASSES)):
        raise DGRError(f"{folder} must hold a folder for each class of CIFAR-10 and no other, but not so: {odd[0]}.")
    found = [(label, path) for label, name in enumerate(PICTURE_CLASSES) for path in sorted((folder / name).iterdir())]
    if missing := set(range(len(PICTURE_CLASSES))) - {label for label, _ in found}:
        raise DGRError(f"{folder / PICTURE_CLASSES[min(missing)]} is empty; fetch the source again.")
    return found


def _pixels(path: Path) -> NDArray[np.uint8]:
    """Channels first."""
    with opened_image(path, path) as image:
        if image.size != (PICTURE_SIDE, PICTURE_SIDE):
            width, height = image.size
            raise DGRError(
                f"{path} has {width}×{height} pixels, but must have {PICTURE_SIDE}×{PICTURE_SIDE}; replace it."
            )
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)
