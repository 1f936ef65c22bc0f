"""What the fingerprint consists of: small computations through every kind of numeric code the project has.

A part is a name and a function that yields bytes. What is registered (encoders, methods, regularizers, classifiers,
kinds of studies) is found in its registry, so that something new has a part at once.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any, get_args

import yaml

Bytes = Iterator[bytes]
Parts = Iterable[tuple[str, Callable[[], Bytes]]]
HERE = Path(__file__).parent
DENSE = {"backbone": "small", "channels": [4, 8], "head_channels": 4}
ASPP = {"channels": [4, 8], "head_channels": 4, "rates": [2]}
NEEDED = {
    "conv": {"channels": [4, 8], "width": 16, "hidden": 16},
    "resnet18": {"pretrained": False, "hidden": 8},
    "resnet50": {"pretrained": False, "hidden": 8},
    "split": DENSE,
    "mtan": DENSE,
    "split_aspp": ASPP,
    "mtan_aspp": ASPP,
}
"""Settings of encoders that cannot do without any."""
TRAINING = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3}
ROOMS = {"kind": "rooms", "image_size": 32, "scenes": {"train": 8, "val": 2, "test": 2}, "noise": 0.03, "seed": 0}
PAIRS = {
    "kind": "multimnist",
    "digits": {"train": 60, "val": 20, "test": 20},
    "pairs": {"train": 16, "val": 4, "test": 4},
    "seed": 0,
}


def trained(encoder: str, method: str, regularizer: str) -> Bytes:
    """A step or two of training: every parameter and buffer afterwards, what the epoch recorded, and the scores."""
    from method_support import options_for

    from dgr.config.parsing import parse
    from dgr.models.registry import ENCODERS
    from dgr.regularizers.registry import REGULARIZERS
    from dgr.training.build import build_parts
    from dgr.training.configuration import RunConfig
    from dgr.training.epoch import Epoch

    vectors = ENCODERS[encoder].Config.gives_vectors
    tasks, split = rooms() if not vectors else labelled(16, 32) if encoder == "conv" else labelled(4, 16)
    strength = {"strength": 0.1} if "strength" in REGULARIZERS[regularizer].Config.model_fields else {}
    block = {
        "suite": "fingerprint",
        "dataset": "made-up",
        "architecture": {"name": encoder, **NEEDED.get(encoder, {})},
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


def labelled(samples: int, size: int) -> tuple[Any, Any]:
    """Three tasks of classification on noise; an emulator takes minutes for large encoders on more than a few."""
    import torch

    from dgr.core.task import Task
    from dgr.datasets.prepared import Split

    generator = torch.Generator().manual_seed(0)
    tasks = tuple(Task(f"task{number}", "classification", 4) for number in range(3))
    targets = {task.name: torch.randint(4, (samples,), generator=generator) for task in tasks}
    return tasks, Split(torch.rand(samples, 3, size, size, generator=generator), targets)


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


def photographs() -> Bytes:
    """A JPEG file of noise, read again and scaled as photographs are."""
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (50, 40, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "jpeg")
    yield file.getvalue()
    with Image.open(file) as image:
        yield image.convert("RGB").resize((17, 17), Image.Resampling.BILINEAR).tobytes()


def files() -> Bytes:
    """What runs leave in binary files."""
    import numpy as np
    import torch

    from dgr.training.checkpoint import save_checkpoint

    arrays = io.BytesIO()
    np.savez(arrays, test=np.arange(5.0))
    yield arrays.getvalue()
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(Path(folder, "checkpoint.pt"), "me", {"weights": torch.ones(3), "epoch": 1})
        yield Path(folder, "checkpoint.pt").read_bytes()


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
    """Untrained, briefly trained and refitted heads on a representation."""
    import torch
    from torch.nn.functional import cross_entropy

    from dgr.measurements.universality import Represented, measure_universality
    from dgr.models.shared.heads import mlp_head

    inputs, labels = (torch.from_numpy(array) for array in digits(360))
    train, val, test = (Represented(inputs[rows::3], labels[rows::3]) for rows in range(3))
    head = partial(mlp_head, 64, 8, 10)
    yield repr(measure_universality(head, cross_entropy, train, val, test, 2, 0)).encode()


def studied(kind: str) -> Bytes:
    """Every row of a small study, with one seed."""
    from pydantic import TypeAdapter

    from dgr.studies.registry import StudyConfig, rows

    configs = yaml.safe_load((HERE / "studies.yaml").read_text(encoding="utf-8"))
    for row in rows(TypeAdapter(StudyConfig).validate_python({"kind": kind, **configs.get(kind, {})}), 0, {}):
        yield repr(row).encode()


def reported(what: str, name: str) -> Bytes:
    """The files of a table or a figure of the golden records."""
    from golden_support import GOLDEN, PLAN

    from dgr.figures.registry import DRAWN
    from dgr.figures.shared.files import save_drawing
    from dgr.records.records import load_records
    from dgr.records.scope import open_scope
    from dgr.tables.registry import TABLES
    from dgr.tables.shared.rendering import write

    registry, kind = (TABLES, "tables") if what == "table" else (DRAWN, "figures")
    made = registry.making(name).build(open_scope(kind, "toy", name, PLAN, load_records(GOLDEN)))
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / name
        for path in write(made, stem, "tab:golden") if what == "table" else save_drawing(made, stem):
            yield path.read_bytes()


def all_parts(patterns: Sequence[str] = ("*",)) -> dict[str, Callable[[], Bytes]]:
    """The parts whose names match one of the patterns, such as ``method/*``; nothing is computed.

    A group of parts is looked into, which loads what it needs, only where a pattern asks for some of it.
    """
    asked = {pattern.partition("/")[0] for pattern in patterns}
    groups = [group for group in GROUPS if any(fnmatch(group, pattern) for pattern in asked)]
    parts = {f"{group}/{name}": part for group in groups for name, part in GROUPS[group]()}
    return {name: part for name, part in parts.items() if any(fnmatch(name, pattern) for pattern in patterns)}


def methods() -> Parts:
    from dgr.methods.registry import METHODS

    return ((name, partial(trained, "conv", name, "dgr")) for name in METHODS)


def regularizers() -> Parts:
    from dgr.regularizers.registry import REGULARIZERS

    return ((name, partial(trained, "conv", "equal_weighting", name)) for name in REGULARIZERS)


def encoders() -> Parts:
    from dgr.models.registry import ENCODERS

    return (
        (f"{name}/{regularizer}", partial(trained, name, "equal_weighting", regularizer))
        for name in ENCODERS
        for regularizer in ("none", "dgr")
    )


def classifiers() -> Parts:
    from dgr.measurements.classifiers.registry import CLASSIFIERS

    return ((name, partial(classified, name)) for name in CLASSIFIERS)


def studies() -> Parts:
    from dgr.studies.registry import StudyConfig

    kinds = (get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(StudyConfig)[0]))
    return ((kind, partial(studied, kind)) for kind in kinds)


GROUPS: dict[str, Callable[[], Parts]] = {
    "method": methods,
    "regularizer": regularizers,
    "encoder": encoders,
    "classifier": classifiers,
    "study": studies,
    "data": lambda: (
        *((config["kind"], partial(prepared, config)) for config in (PAIRS, ROOMS)),
        ("photographs", photographs),
        ("files", files),
    ),
    "measurement": lambda: (("tsne", embedded), ("universality", universality)),
    "table": lambda: ((name, partial(reported, "table", name)) for name in ("T1", "T4")),
    "figure": lambda: ((name, partial(reported, "figure", name)) for name in ("F2", "F5")),
}
