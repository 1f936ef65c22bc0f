"""The stages that examine frozen representations: other classifiers on them, and their universality.

Neither torchmetrics nor any training code is imported: starting a process would cost more than what it computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch.nn.functional import cross_entropy

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.config.runs import SPLITS, BaselineConfig
from dgr.core.errors import DGRError
from dgr.core.files import read_json, read_manifest, write_json
from dgr.core.paths import DATA, output_path
from dgr.core.seeds import seed_for
from dgr.datasets.unseen import add_unseen
from dgr.measurements import probing, universality
from dgr.measurements.configuration import ProbedRun
from dgr.measurements.representation_file import load_representation

Arrays = dict[str, NDArray[Any]]
DIGITS = 7
"""Losses are float32; more digits than that would be noise."""
SIDE = 36
"""Longest side of images as classifiers without an encoder see them, in pixels."""


@dataclass(frozen=True)
class Labelled:
    """A prepared data set as probes see it: the classes of its tasks, and all labels by split and task."""

    kind: str
    classes: dict[str, int]
    labels: dict[str, dict[str, probing.Labels]]

    def samples(self, arrays: Arrays, split: str, snapshot: str = "") -> probing.Samples:
        """One split for classifiers, with the tasks nobody was trained on."""
        return probing.Samples(
            arrays[split + snapshot].reshape(len(arrays[split]), -1),
            add_unseen(self.kind, self.labels[split]),
        )


def probe(key: str) -> None:
    """Examine every seed of a run and write what was measured.

    Classifiers are fitted to the first ``train_samples`` training representations. Their settings are selected once,
    on the run's first seed. Heads are refitted to all training representations. The untrained encoder is probed for
    the run without regularizer alone: it is the same for all of them.

    Args:
        key: a key of the plan's probes.

    Raises:
        DGRError: unknown key, or a run or data set that is missing, damaged or does not fit; says which.
    """
    config = parse(ProbedRun, plan_entry(key, ("probes",)), key)
    data = _labelled(config.dataset, config.kind)
    folder = output_path(config.suite, "train", key)
    remedy = f"make it with `python -m dgr train {key}`"
    read_manifest(folder, remedy)
    rows: list[dict[str, Any]] = []
    choices: dict[str, probing.Choice] = {}
    measured: list[dict[str, Any]] = []
    with _one_thread():
        for seed in config.seeds:
            place = folder / f"seed-{seed}"
            metrics = read_json(place / "metrics.json", remedy)
            arrays = load_representation(place / "representation.npz", remedy)
            _check_sizes(arrays, data, place, remedy)
            sources = {"representation": ""}
            if metrics["identity"]["regularizer"] == "none" and "train@0" in arrays:
                sources["untrained"] = "@0"
            for source, snapshot in sources.items():
                train, val, test = (data.samples(arrays, split, snapshot) for split in SPLITS)
                few = train.first(config.train_samples, f"Run {key}, seed {seed},")
                choice = choices.setdefault(source, {}) or probing.choose_settings(few, val)
                choices[source] = choice
                for task, classifier, value in probing.accuracies(few, test, choice):
                    row = {"seed": seed, "source": source, "task": task, "classifier": classifier, "value": value}
                    rows.append(row)
            measured += _universality(config, seed, metrics["final"]["epoch"], arrays, data)
    record = {"key": key, "config": config.model_dump(mode="json"), "settings": choices}
    write_json(output_path(config.suite, "probe", f"{key}.json"), {**record, "rows": rows, "universality": measured})


def baselines(key: str) -> None:
    """What classifiers reach without an encoder: the majority class, and raw pixels.

    Args:
        key: a key of the plan's baselines.

    Raises:
        DGRError: unknown key, or a data set that is missing or damaged.
    """
    config = parse(BaselineConfig, plan_entry(key, ("baselines",)), key)
    data = _labelled(config.dataset, config.kind)
    images: Arrays = {
        split: _pixels(np.load(DATA / config.dataset / f"{split}_images.npy", mmap_mode="r")) for split in SPLITS
    }
    train, val, test = (data.samples(images, split) for split in SPLITS)
    few = train.first(config.train_samples, f"Data set {config.dataset}")
    with _one_thread():
        choice = probing.choose_settings(few, val)
        rows = [
            {"source": "majority", "task": task, "classifier": "majority", "value": value}
            for task, value in probing.majority_accuracies(few, test)
        ]
        for task, classifier, value in probing.accuracies(few, test, choice):
            rows.append({"source": "pixels", "task": task, "classifier": classifier, "value": value})
    record = {"key": key, "config": config.model_dump(mode="json"), "settings": {"pixels": choice}}
    write_json(output_path(config.suite, "baselines", f"{key}.json"), {**record, "rows": rows})


def _pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Intensities in [0, 1] as classifiers see them, averaged over squares where a side is longer than :data:`SIDE`."""
    factor = -(-max(images.shape[-2:]) // SIDE)
    height, width = (side // factor for side in images.shape[-2:])
    cut = images[..., : height * factor, : width * factor]
    squares = cut.reshape(*images.shape[:-2], height, factor, width, factor)
    means: NDArray[np.float32] = squares.mean(axis=(-3, -1), dtype=np.float32) / np.float32(255)
    return means


def _universality(
    config: ProbedRun, seed: int, last_epoch: int, arrays: Arrays, data: Labelled
) -> list[dict[str, Any]]:
    """Every task at every epoch of which there is a representation."""
    epochs = {int(name.partition("@")[2]): "@" + name.partition("@")[2] for name in arrays if "@" in name}
    architecture = config.architecture
    heads_seed = seed_for(f"{config.dataset}/{architecture.name}", seed, "untrained_heads")
    rows = []
    for epoch, snapshot in sorted({**epochs, last_epoch: ""}.items()):
        for index, (task, classes) in enumerate(data.classes.items()):
            train, val, test = (
                universality.Samples(
                    torch.from_numpy(_part_of_task(arrays[split + snapshot], index, config, len(data.classes))),
                    torch.from_numpy(data.labels[split][task]),
                )
                for split in SPLITS
            )
            head = partial(architecture.head, classes)
            result = universality.measure_universality(
                head, cross_entropy, train, val, test, config.draws, heads_seed + index
            )
            values = {
                "random_loss": result.random_loss,
                "random_loss_sd": result.random_loss_sd,
                "refitted_loss": result.refitted_loss,
                "gap": result.gap,
                "random_loss_normalized": result.random_loss_normalized,
                "gap_normalized": result.gap_normalized,
                "mean_norm": result.mean_norm,
            }
            rounded = {name: round(value, DIGITS) for name, value in values.items()}
            rows.append({"seed": seed, "epoch": epoch, "task": task, **rounded})
    return rows


def _part_of_task(z: NDArray[Any], index: int, config: ProbedRun, tasks: int) -> NDArray[Any]:
    """What a task's head reads: all of z, or with separate encoders (single-task learning) its own part."""
    width = config.architecture.head_width
    if z.shape[1:] == (width,):
        return z
    if z.shape[1:] == (tasks * width,):
        return np.ascontiguousarray(z[:, index * width : (index + 1) * width])
    raise DGRError(
        f"A representation has shape {z.shape[1:]}, but the architecture's heads read {width} numbers; train it again."
    )


def _labelled(dataset: str, kind: str) -> Labelled:
    remedy = f"run `python -m dgr prepare {dataset}`"
    manifest = read_manifest(DATA / dataset, remedy)
    for task in manifest["tasks"]:
        if task["kind"] != "classification":
            raise DGRError(f"Probes classify, but task '{task['name']}' of {dataset} is {task['kind']}; probe others.")
        if task.get("partial"):
            raise DGRError(f"Probes need every label, but task '{task['name']}' of {dataset} lacks some; probe others.")
    classes = {task["name"]: task["classes"] for task in manifest["tasks"]}
    labels: dict[str, dict[str, probing.Labels]] = {
        split: {task: np.load(DATA / dataset / f"{split}_{task}.npy", allow_pickle=False) for task in classes}
        for split in SPLITS
    }
    return Labelled(kind, classes, labels)


def _check_sizes(arrays: Arrays, data: Labelled, place: Path, remedy: str) -> None:
    for name, array in arrays.items():
        split = name.partition("@")[0]
        wanted = len(next(iter(data.labels[split].values())))
        if len(array) != wanted:
            raise DGRError(f"{place}: '{name}' has {len(array)} samples, but the data set {wanted}; {remedy}.")


def _one_thread() -> threadpool_limits:
    """Sums come out differently with another number of threads; parallelism comes from the engine."""
    torch.set_num_threads(1)
    return threadpool_limits(1)
