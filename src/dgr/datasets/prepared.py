"""Prepared data sets as training reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import BaseModel, Field, NonNegativeInt
from torch import Tensor

from dgr.config.parsing import parse
from dgr.config.runs import SPLITS
from dgr.core.errors import DGRError, reason
from dgr.core.files import MANIFEST, read_manifest
from dgr.core.task import Batch, Task
from dgr.datasets.seeded import PARTS, folder_of, images_of

CPU = torch.device("cpu")
_Pixels = Annotated[int, Field(gt=0, le=4096)]
"""Of an image, in pixels: a damaged one must not ask for gigabytes."""


@dataclass(frozen=True)
class Split:
    """Images and targets, as stored.

    Attributes:
        images: ``(samples, channels, height, width)``, bytes or float32; on a CPU mapped from the file, not read as a
            whole.
        targets: by task name, ``(samples,)``, for regression ``(samples, 1)``, or a value a pixel as in
            :mod:`dgr.core.dense`.
        device: where batches are wanted. What does not fit there stays where it is, and each batch is moved.
        sources: of images composed of parts, the number of each part, ``(samples, places)``; None for others.
    """

    images: Tensor
    targets: dict[str, Tensor]
    device: torch.device = CPU
    sources: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, rows: Tensor | slice) -> Batch:
        """Inputs, and targets, of the given rows (indices on the CPU, or a slice)."""
        targets = {task: self._move(_rows(target, rows)) for task, target in self.targets.items()}
        return as_inputs(self._move(_rows(self.images, rows))), targets

    def batches(self, size: int) -> Iterator[Batch]:
        """All of it in order, ``size`` samples at a time."""
        return (self.batch(slice(start, start + size)) for start in range(0, len(self), size))

    def to(self, device: torch.device) -> Split:
        """The same for a device: there as a whole, where it takes less than half of the free memory."""
        tensors = (self.images, *self.targets.values())
        if device.type == "cuda" and 2 * sum(map(_bytes, tensors)) > torch.cuda.mem_get_info(device)[0]:
            return replace(self, device=device)
        targets = {task: target.to(device) for task, target in self.targets.items()}
        return replace(self, images=self.images.to(device), targets=targets, device=device)

    def first(self, share: float) -> Split:
        """The first samples, a share of all; at least two, since batch normalisation has no statistics of one."""
        if share == 1:
            return self
        count = max(2, round(share * len(self)))
        targets = {task: target[:count] for task, target in self.targets.items()}
        return replace(self, images=self.images[:count], targets=targets)

    def _move(self, tensor: Tensor) -> Tensor:
        # From pinned memory the copy runs beside the computation.
        return tensor if tensor.device == self.device else tensor.pin_memory().to(self.device, non_blocking=True)


def as_inputs(images: Tensor) -> Tensor:
    """Bytes 0…255 as float32 in [0, 1]; numbers as they are."""
    if images.dtype != torch.uint8:
        return images
    return images.float().div_(255)  # in place: a second array costs more than the division


def _rows(tensor: Tensor, rows: Tensor | slice) -> Tensor:
    # The same as tensor[rows], in a fraction of the time.
    return tensor[rows] if isinstance(rows, slice) else tensor.index_select(0, rows.to(tensor.device))


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


class _Composition(BaseModel):
    canvas: tuple[_Pixels, _Pixels]
    offsets: list[tuple[NonNegativeInt, NonNegativeInt]]


class _Manifest(BaseModel):
    """What training reads of a manifest, which no hash protects."""

    tasks: tuple[Task, ...]
    seeds: Annotated[list[int], Field(min_length=1)] | None = None
    composition: _Composition | None = None


@dataclass(frozen=True)
class PreparedData:
    """A data set ready for training: its tasks, and its splits by name."""

    tasks: tuple[Task, ...]
    splits: dict[str, Split]


def load(name: str, root: Path, seed: int | None = None) -> PreparedData:
    """Read a prepared data set and check it.

    Args:
        name: of the data set.
        root: the folder of all of them.
        seed: of the run that it is for, where the data set is drawn anew for each; None for the first there is.

    Raises:
        DGRError: it is missing or damaged, or not drawn for that seed, or labels are out of range.
    """
    remedy = f"run `python -m dgr prepare {name}`"
    manifest = read_manifest(root / name, remedy)
    try:
        tasks = parse(_Manifest, manifest, str(root / name / MANIFEST)).tasks
    except DGRError as error:
        raise DGRError(f"{str(error).rstrip('.')}; {remedy}.") from error
    splits: dict[str, Split] = {
        split: _load_split(root / name, manifest, seed, split, tasks, remedy) for split in SPLITS
    }
    for split, data in splits.items():
        for task in tasks:
            task.check_targets(data.targets[task.name], split)
    return PreparedData(tasks, splits)


def _load_split(
    folder: Path, manifest: Mapping[str, Any], seed: int | None, split: str, tasks: Sequence[Task], remedy: str
) -> Split:
    place = folder_of(folder, manifest, seed)
    try:
        images = torch.from_numpy(images_of(folder, manifest, seed, split))
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise DGRError(
            f"{place}: the images of split '{split}' are not readable ({reason(error)}); {remedy}."
        ) from error

    def array(name: str) -> Tensor:
        path = place / f"{split}_{name}.npy"
        try:
            return torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))
        except (OSError, ValueError, TypeError) as error:
            raise DGRError(f"{path} is not a readable array ({reason(error)}); {remedy}.") from error

    targets = {task.name: array(task.name) for task in tasks}
    for task, target in targets.items():
        if len(target) != len(images):
            raise DGRError(f"{folder}: split '{split}' has {len(images)} images but {len(target)} labels of '{task}'.")
    sources = array(PARTS) if manifest.get("composition") else None
    return Split(images if images.ndim == 4 else images.unsqueeze(1), targets, sources=sources)
