"""A prepared data set as classifiers see it, with the labels of tasks that no head was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from dgr.config.runs import SPLITS
from dgr.core.errors import DGRError, reason
from dgr.core.files import MANIFEST, read_manifest
from dgr.core.numerics import portable_square_root
from dgr.core.paths import DATA
from dgr.core.torch_compiler import leave_compiler_unloaded
from dgr.datasets.seeded import folder_of
from dgr.datasets.unseen import ClassLabels, add_unseen, unseen_tasks
from dgr.measurements.probing import ProbeSamples

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class ProbedData:
    """What a representation is asked.

    Attributes:
        classes: number of classes of each task that heads were trained on.
        new: likewise of each that none was.
        labels: by split and task, of all of them.
    """

    classes: dict[str, int]
    new: dict[str, int]
    labels: dict[str, dict[str, ClassLabels]]

    def samples(self, arrays: Arrays, split: str, snapshot: str = "") -> ProbeSamples:
        """One split for classifiers, with the tasks that were trained on and the first of the new ones.

        All new ones would take four times as long, and say no more of classifiers: heads see them all.
        """
        tasks = [*self.classes, *list(self.new)[:1]]
        labels = {task: self.labels[split][task] for task in tasks}
        return ProbeSamples(arrays[split + snapshot].reshape(len(arrays[split]), -1), labels)


def load_probed(dataset: str, kind: str, seed: int | None = None) -> ProbedData:
    """Read a prepared data set's labels.

    Args:
        dataset: its name.
        kind: whose file says which other tasks its labels make.
        seed: of the run whose representation is probed, where the data set is drawn anew for each; None for the first
            that there is.

    Raises:
        DGRError: it is missing or damaged, or not drawn for that seed, or a task is no classification or lacks labels.
    """
    remedy = f"run `python -m dgr prepare {dataset}`"
    manifest = read_manifest(DATA / dataset, remedy)
    for task in _tasks(manifest, dataset, remedy):
        if task["kind"] != "classification":
            raise DGRError(f"Probes classify, but task '{task['name']}' of {dataset} is {task['kind']}; probe others.")
        if task.get("partial"):
            raise DGRError(f"Probes need every label, but task '{task['name']}' of {dataset} lacks some; probe others.")
    classes = {task["name"]: task["classes"] for task in manifest["tasks"]}
    place = folder_of(DATA / dataset, manifest, seed)

    def labels(split: str, task: str) -> ClassLabels:
        path = place / f"{split}_{task}.npy"
        try:
            read: ClassLabels = np.array(np.load(path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise DGRError(
                f"{place}: the labels of '{task}' on '{split}' are not readable ({reason(error)}); {remedy}."
            ) from error
        return read

    own = {split: {task: labels(split, task) for task in classes} for split in SPLITS}
    new = {task: unseen.classes for task, unseen in unseen_tasks(kind).items()}
    return ProbedData(classes, new, {split: add_unseen(kind, own[split]) for split in SPLITS})


def _tasks(manifest: dict[str, Any], dataset: str, remedy: str) -> list[dict[str, Any]]:
    """What a manifest, which no hash protects, says of the tasks."""
    tasks: Any = manifest.get("tasks")
    wanted = {"name": str, "kind": str, "classes": int}
    whole = isinstance(tasks, list) and all(isinstance(task, dict) for task in tasks)
    if not whole or not all(isinstance(task.get(key), kind) for task in tasks for key, kind in wanted.items()):
        raise DGRError(f"{DATA / dataset / MANIFEST} does not describe tasks; {remedy}.")
    return list(tasks)


def one_thread() -> threadpool_limits:
    """Sums come out differently with another number of threads; parallelism comes from the engine."""
    torch.set_num_threads(1)
    portable_square_root()
    leave_compiler_unloaded()
    return threadpool_limits(1)
