"""What the fingerprint consists of: small computations through every kind of numeric code the project has.

A part is a name and a function that yields bytes. What is registered (encoders, methods, regularizers, classifiers,
kinds of studies) is found in its registry, so that something new has a part at once.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args

import yaml

Bytes = Iterator[bytes]
HERE = Path(__file__).parent
DENSE = {"backbone": "small", "channels": [4, 8], "head_channels": 4}
ENCODERS = {
    "conv": {"channels": [4, 8], "width": 16, "hidden": 16},
    "resnet18": {"pretrained": False, "hidden": 8},
    "resnet50": {"pretrained": False, "hidden": 8},
    "split": DENSE,
    "mtan": DENSE,
}
"""Settings of encoders that cannot do without any."""
TRAINING = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3}
ROOMS = {"kind": "rooms", "image_size": 32, "scenes": {"train": 16, "val": 2, "test": 2}, "noise": 0.03, "seed": 0}
PAIRS = {
    "kind": "multimnist",
    "digits": {"train": 60, "val": 20, "test": 20},
    "pairs": {"train": 16, "val": 4, "test": 4},
    "seed": 0,
}
REPORTED = {"table": ("T1", "T4"), "figure": ("F5",)}


def all_parts() -> dict[str, Callable[[], Bytes]]:
    """Every part by its name, such as ``method/pcgrad``; nothing is computed."""
    from dgr.measurements.classifiers.registry import CLASSIFIERS
    from dgr.methods.registry import METHODS
    from dgr.models.registry import ENCODERS as KNOWN_ENCODERS
    from dgr.regularizers.registry import REGULARIZERS

    made: dict[str, Callable[[], Bytes]] = {}
    for name in METHODS:
        made[f"method/{name}"] = partial(trained, "conv", name, "dgr")
    for name in REGULARIZERS:
        made[f"regularizer/{name}"] = partial(trained, "conv", "equal_weighting", name)
    for name in KNOWN_ENCODERS:
        for regularizer in ("none", "dgr"):
            made[f"encoder/{name}/{regularizer}"] = partial(trained, name, "equal_weighting", regularizer)
    for name, config in (("multimnist", PAIRS), ("rooms", ROOMS)):
        made[f"data/{name}"] = partial(prepared, config)
    for name in CLASSIFIERS:
        made[f"classifier/{name}"] = partial(classified, name)
    made["embedding/tsne"] = embedded
    made["measurement/universality"] = universality
    for kind in study_kinds():
        made[f"study/{kind}"] = partial(studied, kind)
    for what, names in REPORTED.items():
        for name in names:
            made[f"{what}/{name}"] = partial(reported, what, name)
    return made


def trained(encoder: str, method: str, regularizer: str) -> Bytes:
    """Two steps of training: every parameter and buffer afterwards, what the epoch recorded, and the scores."""
    from method_support import options_for

    from dgr.config.parsing import parse
    from dgr.models.registry import ENCODERS as KNOWN_ENCODERS
    from dgr.regularizers.registry import REGULARIZERS
    from dgr.training.build import build_parts
    from dgr.training.configuration import RunConfig
    from dgr.training.epoch import Epoch

    vectors = KNOWN_ENCODERS[encoder].Config.gives_vectors
    tasks, split = labelled() if vectors else rooms()
    strength = {"strength": 0.1} if "strength" in REGULARIZERS[regularizer].Config.model_fields else {}
    block = {
        "suite": "fingerprint",
        "dataset": "made-up",
        "architecture": {"name": encoder, **ENCODERS.get(encoder, {})},
        "method": {"name": method, "options": options_for(method, tasks[0].name)},
        "regularizer": {"name": regularizer, **strength},
        "seeds": [0],
        "training": TRAINING,
    }
    import torch

    config = parse(RunConfig, block, f"encoder {encoder}, method {method}, regularizer {regularizer}")
    torch.manual_seed(0)
    parts = build_parts(config, tasks, split.images.shape[1:], seed=0)
    parts.method.begin(tasks, split.batches(8))
    row = Epoch(config, 0, parts, tasks, split, 0).train()
    for module in parts.modules():
        for tensor in module.state_dict().values():
            yield tensor.numpy().tobytes()
    yield json.dumps(row).encode()


def labelled() -> tuple[Any, Any]:
    """Three tasks of classification on noise."""
    import torch

    from dgr.core.task import Task
    from dgr.datasets.prepared import Split

    generator = torch.Generator().manual_seed(0)
    tasks = tuple(Task(f"task{number}", "classification", 4) for number in range(3))
    targets = {task.name: torch.randint(4, (16,), generator=generator) for task in tasks}
    return tasks, Split(torch.rand(16, 3, 32, 32, generator=generator), targets)


def rooms() -> tuple[Any, Any]:
    """The tasks of dense prediction, on rooms."""
    import torch

    from dgr.datasets.prepared import Split
    from dgr.datasets.registry import parse_dataset

    config = parse_dataset(ROOMS, "fingerprint")
    arrays = {name: torch.from_numpy(array) for name, array in config.compose().splits["train"].items()}
    return config.tasks, Split(arrays.pop("images"), arrays)


def prepared(config: dict[str, Any]) -> Bytes:
    """Every file of a prepared data set."""
    from dgr.datasets.preparing import prepare_dataset
    from dgr.datasets.registry import parse_dataset

    with tempfile.TemporaryDirectory() as folder:
        prepare_dataset("made-up", parse_dataset(config, "fingerprint"), Path(folder))
        for path in sorted(Path(folder).rglob("*.*")):
            yield path.read_bytes()


def digits(samples: int) -> tuple[Any, Any]:
    """Scikit-learn's small digits, standardised, and their classes."""
    from sklearn.datasets import load_digits
    from sklearn.preprocessing import StandardScaler

    inputs, labels = load_digits(return_X_y=True)
    return StandardScaler().fit_transform(inputs[:samples].astype("float32")), labels[:samples]


def classified(name: str) -> Bytes:
    """A probe classifier's predictions and what stands behind them, for its first and last setting."""
    from sklearn.model_selection import ParameterGrid

    from dgr.measurements.classifiers.registry import CLASSIFIERS

    inputs, labels = digits(200)
    settings = list(ParameterGrid(CLASSIFIERS[name].GRID))
    for setting in (settings[0], settings[-1]):
        fitted = CLASSIFIERS[name].make(**setting).fit(inputs[:120], labels[:120])
        yield fitted.predict(inputs[120:]).tobytes()
        for behind in ("decision_function", "predict_proba"):
            if hasattr(fitted, behind):
                yield getattr(fitted, behind)(inputs[120:]).tobytes()


def embedded() -> Bytes:
    """Places of t-SNE."""
    from dgr.measurements.embedding import tsne

    yield tsne(digits(60)[0], 10, 0).tobytes()


def universality() -> Bytes:
    """Untrained and refitted heads on a representation."""
    import torch
    from torch.nn.functional import cross_entropy

    from dgr.measurements.universality import Represented, measure_universality

    inputs, labels = (torch.from_numpy(array) for array in digits(150))
    train, val, test = (Represented(inputs[rows::3], labels[rows::3]) for rows in range(3))
    head = partial(torch.nn.Linear, 64, 10)
    yield repr(measure_universality(head, cross_entropy, train, val, test, 2, 0)).encode()


def study_kinds() -> list[str]:
    """Of the studies that can be configured."""
    from dgr.studies.registry import StudyConfig

    return [kind.model_fields["kind"].default or get_args(kind.model_fields["kind"].annotation)[0]
            for kind in get_args(get_args(StudyConfig)[0])]  # fmt: skip


def studied(kind: str) -> Bytes:
    """Every row of a small study, with one seed."""
    from pydantic import TypeAdapter

    from dgr.studies.registry import StudyConfig, rows

    configs = yaml.safe_load((HERE / "studies.yaml").read_text(encoding="utf-8"))
    for row in rows(TypeAdapter(StudyConfig).validate_python({"kind": kind, **configs.get(kind, {})}), 0):
        yield repr(row).encode()


def reported(what: str, name: str) -> Bytes:
    """The files of a table or a figure of the golden records."""
    from golden_support import golden_scope

    from dgr.figures.registry import DRAWN
    from dgr.figures.shared.files import save_drawing
    from dgr.tables.registry import TABLES
    from dgr.tables.shared.rendering import write

    made = (TABLES if what == "table" else DRAWN).making(name).build(golden_scope(name))
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / name
        for path in write(made, stem, "tab:golden") if what == "table" else save_drawing(made, stem):
            yield path.read_bytes()
