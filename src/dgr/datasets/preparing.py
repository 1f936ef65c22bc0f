"""Making a data set's folder of arrays: complete or not there at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from dgr.config.datasets import Composed, DatasetConfig, FetchedDataset, LocalDataset, MadeDataset
from dgr.config.runs import SplitName
from dgr.core.errors import DGRError
from dgr.core.files import cannot_write, read_manifest, write_manifest
from dgr.core.paths import SOURCES
from dgr.core.seeds import seed_for
from dgr.core.task import VOID, Task
from dgr.datasets.seeded import PARTS

LEAST: dict[SplitName, int] = {"train": 2, "val": 1, "test": 1}
"""Samples of each split; one alone trains nothing, since batch normalisation has no statistics of it."""


def prepare_dataset(name: str, config: DatasetConfig, root: Path) -> None:
    """Make ``root/name`` in a temporary folder and rename it, so that nothing half-made is taken for whole.

    Raises:
        DGRError: what it is made from is missing or damaged, its arrays do not fit its tasks, or the place cannot be
            written.
    """
    target = root / name
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=f".{name}-") as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            facts = _write(name, config, folder)
            write_manifest(folder, dataset=name, config=config.model_dump(mode="json"), **facts)
            if target.exists():
                shutil.rmtree(target)
            folder.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from error


def _write(name: str, config: DatasetConfig, folder: Path) -> dict[str, Any]:
    """Write all arrays into an empty folder, and give what the manifest says of them."""
    seeds = config.seeds if isinstance(config, MadeDataset) else None
    if not seeds:
        composed = config.compose(_place(config))
        tasks = [_completed(task, composed) for task in config.tasks]
        _check(name, tasks, composed)
        _save(composed, folder)
        return {"tasks": [_described(task) for task in tasks], "report": composed.report}
    assert isinstance(config, MadeDataset)
    for seed in seeds:
        composed = config.compose_for(seed_for(name, seed, "split"))
        _check(name, config.tasks, composed)
        place = folder / f"seed-{seed}"
        place.mkdir()
        _save(composed, place)
    facts: dict[str, Any] = {"seeds": seeds}
    if composed.composition is not None:
        parts, canvas, offsets = composed.composition
        np.save(folder / f"{PARTS}.npy", parts, allow_pickle=False)
        facts["composition"] = {"canvas": canvas, "offsets": offsets}
    return {"tasks": [_described(task) for task in config.tasks], **facts, "report": composed.report}


def _save(composed: Composed, folder: Path) -> None:
    for split, arrays in composed.splits.items():
        for array, values in arrays.items():
            np.save(folder / f"{split}_{array}.npy", values, allow_pickle=False)


def _place(config: DatasetConfig) -> Path:
    if isinstance(config, FetchedDataset):
        source = SOURCES / config.source
        read_manifest(source, f"run `python -m dgr fetch {config.source}`")
        return source
    return Path(config.path) if isinstance(config, LocalDataset) else Path()


def _completed(task: Task, composed: Composed) -> Task:
    """The task, marked where samples lack its target."""
    targets = [arrays[task.name] for arrays in composed.splits.values()]
    if task.kind == "classification":
        return replace(task, partial=any((labels == VOID).any() for labels in targets))
    return replace(task, partial=task.kind == "regression" and any(np.isnan(numbers).any() for numbers in targets))


def _described(task: Task) -> dict[str, Any]:
    """A task as the manifest has it."""
    return {name: value for name, value in asdict(task).items() if name != "partial" or value}


def _check(name: str, tasks: Sequence[Task], composed: Composed) -> None:
    """Refuse what no training can use.

    Raises:
        DGRError: a split is missing or too small, or targets are impossible.
    """
    for split, least in LEAST.items():
        arrays = composed.splits.get(split, {})
        samples = len(arrays.get("images", arrays.get(PARTS, ())))
        if samples < least:
            raise DGRError(f"{name}: split '{split}' has {samples} samples, but needs at least {least}; give it more.")
        for task in tasks:
            task.check_targets(composed.splits[split][task.name], split)
