"""Prepared data sets: arrays in a folder, complete or not there at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dgr.config import SPLITS, DatasetConfig, SplitName
from dgr.datasets import multimnist
from dgr.errors import DGRError
from dgr.files import cannot_write, read_manifest, write_manifest
from dgr.task import Task


@dataclass(frozen=True)
class Split:
    """Inputs ``(samples, channels, height, width)`` in [0, 1] and targets ``(samples,)`` by task name."""

    inputs: Tensor
    targets: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.inputs)

    def batch(self, rows: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The samples of the given rows."""
        return self.inputs[rows], {task: target[rows] for task, target in self.targets.items()}

    def to(self, device: torch.device) -> Split:
        """The same on a device."""
        return Split(self.inputs.to(device), {task: target.to(device) for task, target in self.targets.items()})


@dataclass(frozen=True)
class PreparedData:
    """A data set ready for training: its tasks, and its splits by name."""

    tasks: tuple[Task, ...]
    splits: dict[str, Split]


def prepare(name: str, config: DatasetConfig, root: Path) -> None:
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
            _write_arrays(folder, multimnist.compose(config))
            write_manifest(
                folder,
                dataset=name,
                config=config.model_dump(mode="json"),
                tasks=[asdict(task) for task in multimnist.TASKS],
            )
            if target.exists():
                shutil.rmtree(target)
            folder.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from error


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
            return torch.from_numpy(np.load(path, allow_pickle=False))
        except (OSError, ValueError) as error:
            raise DGRError(f"{path} is not a readable array ({error}); {remedy}.") from error

    images = array("images")
    targets = {task.name: array(task.name) for task in tasks}
    for task, target in targets.items():
        if len(target) != len(images):
            raise DGRError(f"{folder}: split '{split}' has {len(images)} images but {len(target)} labels of '{task}'.")
    return Split(images.unsqueeze(1).float() / 255, targets)
