"""A prepared data set as classifiers see it, with the labels of tasks that no head was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from dgr.config.runs import SPLITS
from dgr.core.errors import DGRError
from dgr.core.files import read_manifest
from dgr.core.numerics import portable_square_root
from dgr.core.paths import DATA
from dgr.core.torch_compiler import leave_compiler_unloaded
from dgr.datasets.unseen import ClassLabels, add_unseen
from dgr.measurements.probing import ProbeSamples

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class ProbedData:
    """Kind of the data set, classes of its tasks, and all labels by split and task."""

    kind: str
    classes: dict[str, int]
    labels: dict[str, dict[str, ClassLabels]]

    def samples(self, arrays: Arrays, split: str, snapshot: str = "") -> ProbeSamples:
        """One split for classifiers, with the tasks nobody was trained on."""
        return ProbeSamples(
            arrays[split + snapshot].reshape(len(arrays[split]), -1),
            add_unseen(self.kind, self.labels[split]),
        )


def load_probed(dataset: str, kind: str) -> ProbedData:
    """Read a prepared data set's labels.

    Args:
        dataset: its name.
        kind: whose file says which other tasks its labels make.

    Raises:
        DGRError: it is missing, or a task is no classification or lacks labels.
    """
    remedy = f"run `python -m dgr prepare {dataset}`"
    manifest = read_manifest(DATA / dataset, remedy)
    for task in manifest["tasks"]:
        if task["kind"] != "classification":
            raise DGRError(f"Probes classify, but task '{task['name']}' of {dataset} is {task['kind']}; probe others.")
        if task.get("partial"):
            raise DGRError(f"Probes need every label, but task '{task['name']}' of {dataset} lacks some; probe others.")
    classes = {task["name"]: task["classes"] for task in manifest["tasks"]}
    labels: dict[str, dict[str, ClassLabels]] = {
        split: {task: np.load(DATA / dataset / f"{split}_{task}.npy", allow_pickle=False) for task in classes}
        for split in SPLITS
    }
    return ProbedData(kind, classes, labels)


def one_thread() -> threadpool_limits:
    """Sums come out differently with another number of threads; parallelism comes from the engine."""
    torch.set_num_threads(1)
    portable_square_root()
    leave_compiler_unloaded()
    return threadpool_limits(1)
