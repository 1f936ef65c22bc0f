"""A made-up specification curve: its file, its plan and records whose effects are known."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from dgr.config.parsing import parse
from dgr.plan.specifications import stages_of_specifications
from dgr.plan.suite_files import SpecificationFile
from dgr.records.records import RECORD_COLUMNS, Records
from dgr.records.scope import Scope
from dgr.training.configuration import SweepConfig

TASKS = ("left", "right")
CHOICES: dict[str, dict[str, Any]] = {
    "width": {"narrow": {}, "wide": {"set": {"architecture.channels": [4]}}},
    "epochs": {"short": {}, "long": {"times": {"training.epochs": 4}}},
    "rate": {"usual": {}, "double": {"times": {"training.learning_rate": 2}}},
}
EIGHT = CHOICES | {"batch": {"small": {}, "large": {"times": {"training.batch_size": 2}}}}
"""Of eight specifications, of which a regression can find the five coefficients."""
ARMS = [{"name": "none"}, {"name": "dgr", "strength": 0.1}, {"name": "dgr", "strength": 0.5}]
ARMS += [{"name": "norm", "strength": 0.01}]

Accuracy = Callable[[Mapping[str, str], Mapping[str, Any], int, str], float | None]
"""From the options, the arm, the seed and the split to the accuracy of every task; None where training diverged."""


def specification_file(**changes: Any) -> SpecificationFile:
    data = {
        "kind": "specifications",
        "suite": "curve",
        "dataset": "multimnist",
        "architecture": {"name": "conv", "channels": [2], "width": 4, "hidden": 4},
        "training": {"epochs": 1, "batch_size": 32, "learning_rate": 0.001},
        "method": {"name": "equal_weighting"},
        "seeds": [0, 1, 2],
        "arms": ARMS,
        "choices": CHOICES,
        "balanced": "rate",
        "region": 0.005,
    }
    return parse(SpecificationFile, data | changes, "M1.yaml")


def expanded(file: SpecificationFile) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan's sweeps and specifications, by key."""
    plan: dict[str, dict[str, Any]] = {"sweeps": {}, "specifications": {}}
    for section, key, entry in stages_of_specifications(file):
        plan[section][key] = entry.model_dump(mode="json")
    return plan["sweeps"], plan["specifications"]


def sweep_rows(sweeps: dict[str, Any], curve: dict[str, Any], accuracy: Accuracy) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for key, entry in sweeps.items():
        config = SweepConfig(**entry)
        for (settings, _), seed in itertools.product(config.points(), config.run.seeds):
            place = {"suite": "curve", "sweep": entry["name"], "settings": json.dumps(settings), "seed": seed}
            arm = settings["regularizer"]
            for split in ("val", "test"):
                value = accuracy(curve[key]["choices"], arm, seed, split)
                if value is None:
                    continue
                row = {**place, "split": split}
                rows += [row | {"task": task, "metric": "accuracy", "value": value} for task in TASKS]
                rows.append(row | {"task": "representation", "metric": "mean_norm", "value": 5.0})
            if accuracy(curve[key]["choices"], arm, seed, "test") is None:
                rows.append(
                    {**place, "split": "test", "task": "representation", "metric": "diverged", "value": 1.0},
                )
    return pd.DataFrame(rows, columns=RECORD_COLUMNS["sweeps"])


def scope_of(file: SpecificationFile, accuracy: Accuracy, name: str = "M1") -> Scope:
    """What a table or figure of the curve is given."""
    sweeps, curve = expanded(file)
    frames = {each.name: pd.DataFrame(columns=RECORD_COLUMNS[each.name]) for each in fields(Records)}
    records = Records(**frames | {"sweeps": sweep_rows(sweeps, curve, accuracy)})
    return Scope("curve", name, "", "", {}, {}, records, sweeps=sweeps, specifications=curve)


def noisy(effect: Callable[[Mapping[str, str], str], float], noise: float = 0.004) -> Accuracy:
    """Accuracies around 0.8 plus an effect of options and arm, with noise by seed that is the same in every call."""

    def accuracy(choices: Mapping[str, str], arm: Mapping[str, Any], seed: int, split: str) -> float:
        text = json.dumps([choices, arm, seed, split])
        random = np.random.default_rng(list(text.encode()))
        return 0.8 + effect(choices, arm["name"]) + noise * float(random.standard_normal())

    return accuracy
