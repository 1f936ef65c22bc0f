"""Prepared data sets: arrays in a folder, complete or not there at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dgr.core.config import SPLITS, SplitName
from dgr.core.dataset_config import MultiMNISTConfig, UTKFaceConfig
from dgr.core.errors import DGRError
from dgr.core.files import cannot_write, read_manifest, write_manifest
from dgr.core.paths import SOURCES
from dgr.core.task import Task
from dgr.datasets import multimnist, utkface


@dataclass(frozen=True)
class Split:
    """Images and targets, as stored.

    Attributes:
        images: ``(samples, channels, height, width)``, uint8; on a CPU mapped from the file, not read as a whole.
        targets: ``(samples,)`` by task name.
    """

    images: Tensor
    targets: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, rows: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Inputs in [0, 1], and targets, of the given rows."""
        return as_inputs(self.images[rows]), {task: target[rows] for task, target in self.targets.items()}

    def inputs(self, size: int) -> Iterator[Tensor]:
        """All inputs in order, ``size`` at a time."""
        return map(as_inputs, torch.split(self.images, size))

    def to(self, device: torch.device) -> Split:
        """The same on a device."""
        return Split(self.images.to(device), {task: target.to(device) for task, target in self.targets.items()})


def as_inputs(images: Tensor) -> Tensor:
    """Bytes 0…255 as float32 in [0, 1]."""
    return images.float() / 255


@dataclass(frozen=True)
class PreparedData:
    """A data set ready for training: its tasks, and its splits by name."""

    tasks: tuple[Task, ...]
    splits: dict[str, Split]


def prepare(name: str, config: MultiMNISTConfig | UTKFaceConfig, root: Path) -> None:
    """Make ``root/name`` in a temporary folder and rename it, so that nothing half-made is taken for whole.

    Raises:
        DGRError: the place cannot be written.
    """
    target = root / name
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=f".{name}-") as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            tasks, splits, report = _compose(config)
            _write_arrays(folder, splits)
            described = [asdict(task) for task in tasks]
            write_manifest(folder, dataset=name, config=config.model_dump(mode="json"), tasks=described, report=report)
            if target.exists():
                shutil.rmtree(target)
            folder.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from error


def _compose(
    config: MultiMNISTConfig | UTKFaceConfig,
) -> tuple[Sequence[Task], Mapping[SplitName, multimnist.Arrays], dict[str, Any]]:
    """Tasks, arrays of each split, and what is worth knowing of how they came about."""
    if isinstance(config, MultiMNISTConfig):
        return multimnist.TASKS, multimnist.compose(config), {}
    source = SOURCES / config.source
    if not source.exists():
        raise DGRError(f"{source} is missing; put it there, or name its folder in the environment as DGR_SOURCES.")
    return utkface.TASKS, *utkface.compose(config, source)


def load(name: str, root: Path) -> PreparedData:
    """Read a prepared data set and check it.

    Raises:
        DGRError: it is missing or damaged, or labels are out of range.
    """
    remedy = f"run `python -m dgr prepare {name}`"
    manifest = read_manifest(root / name, remedy)
    tasks = tuple(Task(**task) for task in manifest["tasks"])
    splits = {split: _load_split(root / name, split, tasks, remedy) for split in SPLITS}
    for split, data in splits.items():
        for task in tasks:
            task.check_targets(data.targets[task.name], split)
    return PreparedData(tasks, splits)


def _write_arrays(folder: Path, splits: Mapping[SplitName, multimnist.Arrays]) -> None:
    for split, arrays in splits.items():
        for name, array in arrays.items():
            np.save(folder / f"{split}_{name}.npy", array, allow_pickle=False)


def _load_split(folder: Path, split: str, tasks: Sequence[Task], remedy: str) -> Split:
    def array(name: str) -> Tensor:
        path = folder / f"{split}_{name}.npy"
        try:
            # Mapped copy-on-write: torch wants memory that it might write to.
            return torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))
        except (OSError, ValueError) as error:
            raise DGRError(f"{path} is not a readable array ({error}); {remedy}.") from error

    images = array("images")
    targets = {task.name: array(task.name) for task in tasks}
    for task, target in targets.items():
        if len(target) != len(images):
            raise DGRError(f"{folder}: split '{split}' has {len(images)} images but {len(target)} labels of '{task}'.")
    return Split(images if images.ndim == 4 else images.unsqueeze(1), targets)
