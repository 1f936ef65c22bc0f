"""The stage that examines frozen representations: other classifiers on them, and their universality.

Neither torchmetrics nor any training code is imported: starting a process would cost more than what it computes.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.config.runs import SPLITS
from dgr.core.errors import DGRError
from dgr.core.files import read_json, read_manifest, write_json
from dgr.core.paths import output_path, trained_folder
from dgr.core.seeds import seed_for
from dgr.measurements import probing
from dgr.measurements.configuration import ProbedRun
from dgr.measurements.probed_data import Arrays, ProbedData, load_probed, one_thread
from dgr.measurements.representation_file import load_representation
from dgr.measurements.universality import Represented, measure_universality

DECIMALS = 7
"""Losses are float32; more digits than that would be noise."""


def probe(key: str) -> None:
    """Examine every seed of a run and write what was measured.

    Classifiers are fitted to the first ``train_samples`` training representations. Their settings are selected once,
    on the run's first seed. Universality is measured for every task at the last epoch, and for those that the run was
    trained on at earlier ones. The untrained encoder is probed for the run without regularizer alone: it is the same
    for all of them.

    Args:
        key: a key of the plan's probes.

    Raises:
        DGRError: unknown key, or a run or data set that is missing, damaged or does not fit; says which.
    """
    config = parse(ProbedRun, plan_entry(key, ("probes",)), key)
    folder = output_path(config.suite, "train", key)
    remedy = f"make it with `python -m dgr train {key}`"
    read_manifest(folder, remedy)
    trained = trained_folder(config.suite, key)
    read_manifest(trained, remedy)
    rows: list[dict[str, Any]] = []
    choices: dict[str, probing.Choice] = {}
    measured: list[dict[str, Any]] = []
    with one_thread():
        for seed in config.seeds:
            data = load_probed(config.dataset, config.kind, seed)
            metrics = read_json(folder / f"seed-{seed}" / "metrics.json", remedy)
            place = trained / f"seed-{seed}.npz"
            arrays = load_representation(place, remedy)
            _check_sizes(arrays, data, place, remedy)
            snapshots = {"representation": ""}
            if metrics["identity"]["regularizer"] == "none" and "train@0" in arrays:
                snapshots["untrained"] = "@0"
            for given, snapshot in snapshots.items():
                train, val, test = (data.samples(arrays, split, snapshot) for split in SPLITS)
                few = train.first(config.train_samples, f"Run {key}, seed {seed},")
                choice = choices.setdefault(given, {}) or probing.choose_settings(few, val)
                choices[given] = choice
                for task, classifier, value in probing.accuracies(few, test, choice):
                    row = {"seed": seed, "given": given, "task": task, "classifier": classifier, "value": value}
                    rows.append(row)
            measured += _universality(config, seed, metrics["final"]["epoch"], arrays, data)
    record = {"key": key, "config": config.model_dump(mode="json"), "settings": choices}
    write_json(output_path(config.suite, "probe", f"{key}.json"), {**record, "rows": rows, "universality": measured})


def _universality(
    config: ProbedRun, seed: int, last_epoch: int, arrays: Arrays, data: ProbedData
) -> list[dict[str, Any]]:
    """Every task at the last epoch, those trained on at every epoch of which there is a representation."""
    epochs = {int(name.partition("@")[2]): "@" + name.partition("@")[2] for name in arrays if "@" in name}
    heads_seed = seed_for(f"{config.dataset}/{config.architecture.name}", seed, "untrained_heads")
    rows = []
    for epoch, snapshot in sorted({**epochs, last_epoch: ""}.items()):
        tasks = {**data.classes, **(data.new if epoch == last_epoch else {})}
        for index, (task, classes) in enumerate(tasks.items()):
            part = index if task in data.classes else None
            train, val, test = (
                Represented(
                    torch.from_numpy(_read_by_head(arrays[split + snapshot], part, config, len(data.classes))),
                    torch.from_numpy(data.labels[split][task]),
                )
                for split in SPLITS
            )
            head = partial(_head, config, train.representation.shape[1], classes)
            measured = measure_universality(head, cross_entropy, train, val, test, config.draws, heads_seed + index)
            rounded = {name: round(value, DECIMALS) for name, value in asdict(measured).items()}
            rows.append({"seed": seed, "epoch": epoch, "task": task, **rounded})
    return rows


def _head(config: ProbedRun, width: int, classes: int) -> nn.Module:
    """A fresh head; before it a linear map to the width that it reads, where it gets several encoders' z joined."""
    head, usual = config.architecture.head(classes), config.architecture.head_width
    return head if width == usual else nn.Sequential(nn.Linear(width, usual), head)


def _read_by_head(z: NDArray[Any], index: int | None, config: ProbedRun, tasks: int) -> NDArray[Any]:
    """What a head reads: all of z, or with separate encoders (single-task learning) the part of its own task.

    Args:
        z: shape ``(samples, width)``, or ``(samples, tasks * width)`` with separate encoders.
        index: of the task; None for one that was not trained on, whose head reads all of z.
        config: says what heads read.
        tasks: how many were trained on.
    """
    width = config.architecture.head_width
    if z.shape[1:] not in ((width,), (tasks * width,)):
        raise DGRError(
            f"A representation has shape {z.shape[1:]}, but the architecture's heads read {width} numbers; train it "
            "again."
        )
    if index is None or z.shape[1] == width:
        return z
    return np.ascontiguousarray(z[:, index * width : (index + 1) * width])


def _check_sizes(arrays: Arrays, data: ProbedData, place: Path, remedy: str) -> None:
    for name, array in arrays.items():
        split = name.partition("@")[0]
        wanted = len(next(iter(data.labels[split].values())))
        if len(array) != wanted:
            raise DGRError(f"{place}: '{name}' has {len(array)} samples, but the data set {wanted}; {remedy}.")
