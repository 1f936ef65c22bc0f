"""Making a data set's folder of arrays: complete or not there at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dgr.config.datasets import DenseFolderConfig, MultiMNISTConfig, RoomsConfig, UTKFaceConfig
from dgr.config.runs import SplitName
from dgr.core.files import cannot_write, read_manifest, write_manifest
from dgr.core.paths import SOURCES
from dgr.core.task import Task
from dgr.datasets import cityscapes, multimnist, nyuv2, rooms, utkface

Arrays = dict[str, NDArray[Any]]
AnyDataset = MultiMNISTConfig | RoomsConfig | UTKFaceConfig | DenseFolderConfig


def prepare(name: str, config: AnyDataset, root: Path) -> None:
    """Make ``root/name`` in a temporary folder and rename it, so that nothing half-made is taken for whole.

    Raises:
        DGRError: its source is missing or damaged, or the place cannot be written.
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


def _compose(config: AnyDataset) -> tuple[Sequence[Task], Mapping[SplitName, Arrays], dict[str, Any]]:
    """Tasks, arrays of each split, and what is worth knowing of how they came about."""
    if isinstance(config, MultiMNISTConfig):
        return multimnist.TASKS, multimnist.compose(config), {}
    if isinstance(config, RoomsConfig):
        return rooms.TASKS, rooms.compose(config), {}
    source = SOURCES / config.source
    read_manifest(source, f"run `python -m dgr fetch {config.source}`")
    if isinstance(config, UTKFaceConfig):
        return utkface.TASKS, *utkface.compose(config, source)
    kind = nyuv2 if config.kind == "nyuv2" else cityscapes
    return kind.TASKS, *kind.compose(config, source)


def _write_arrays(folder: Path, splits: Mapping[SplitName, Arrays]) -> None:
    for split, arrays in splits.items():
        for name, array in arrays.items():
            np.save(folder / f"{split}_{name}.npy", array, allow_pickle=False)
