"""Each kind of YAML file: where it lies, what a good one holds, and who reads it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dgr.archive.citation import read_citation
from dgr.claims.schema import load_claims
from dgr.config.sources import read_sources
from dgr.core.paths import CONFIGS
from dgr.datasets.digests import read_digests
from dgr.datasets.publishers import read_publishers
from dgr.plan.expand import make_plans
from dgr.report.gathering import KNOWN, read_known

ROOT = Path(__file__).parents[2]
FOLDER = {"kind": "folder", "path": "mine", "shape": [3, 8, 8], "split": {"column": "split"}}
LABELS = [
    {"name": "tone", "kind": "classification", "classes": ["dark", "light"]},
    {"name": "level", "kind": "regression", "column": "how"},
]
SHARES = {"shares": {"train": 0.5, "val": 0.25, "test": 0.25}, "seed": 1}
DATASETS = {
    "mine": FOLDER | {"labels": LABELS},
    "rows": FOLDER | {"kind": "arrays", "labels": LABELS, "split": SHARES},
}
SOURCE = {
    "title": "x",
    "kind": "file",
    "file": "x.pt",
    "sha256": "ab" * 32,
    "instructions": "Ask.",
    "urls": ["https://example.org/x.pt"],
}
DIGESTS = {"utkface": {".": "0123abcd", "train/image": "ffff"}}


class Kind(NamedTuple):
    """A kind of YAML file.

    Attributes:
        path: where it lies.
        good: files of that kind, or what they hold.
        read: as the command does that needs it; reads from the working directory.
    """

    path: str
    good: tuple[str | dict[str, Any], ...]
    read: Callable[[], object]

    def trees(self) -> list[Any]:
        """What good ones hold."""
        return [_parsed(each) if isinstance(each, str) else each for each in self.good]

    def lay_out(self, folder: Path) -> None:
        """Put beside it what else its reader reads."""
        path = folder / self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".yaml" and CONFIGS in Path(self.path).parents:
            for name in ("datasets.yaml", "sources.yaml"):
                shutil.copy(ROOT / CONFIGS / name, folder / CONFIGS / name)


def _plans() -> object:
    return make_plans(CONFIGS)


def _suite(*files: str) -> Kind:
    return Kind(f"{Path(files[0]).parent}/T1.yaml".replace("tests/tiny_configs", str(CONFIGS)), files, _plans)


KINDS = {
    "runs": _suite("tests/tiny_configs/mini/T1.yaml", "paper_configs/mini/T1.yaml"),
    "runs of the paper": _suite("paper_configs/paper/T2-mtan.yaml", "paper_configs/paper/T3-split.yaml"),
    "sweeps": _suite("tests/tiny_configs/mini/T6.yaml", "paper_configs/mini/T3.yaml", "paper_configs/methods/T6.yaml"),
    "cost": _suite("tests/tiny_configs/mini/T5.yaml"),
    "specifications": _suite("paper_configs/multiverse/M1.yaml"),
    "study": _suite(*(f"paper_configs/studies/{name}.yaml" for name in ("D1", "L1", "S1", "S2", "W1", "W2", "W3"))),
    "real study": _suite(*(f"paper_configs/real_studies/{name}.yaml" for name in ("S3", "W4", "W5"))),
    "data sets": Kind("paper_configs/datasets.yaml", ("paper_configs/datasets.yaml", DATASETS), _plans),
    "sources": Kind(
        "paper_configs/sources.yaml", ("paper_configs/sources.yaml", {"x": SOURCE}), lambda: read_sources(CONFIGS)
    ),
    "publishers": Kind(
        "paper_configs/publishers.yaml", ("paper_configs/publishers.yaml",), lambda: read_publishers(CONFIGS)
    ),
    "digests": Kind("paper_configs/digests.yaml", (DIGESTS,), lambda: read_digests(CONFIGS)),
    "claims": Kind(
        "paper_configs/claims.yaml", ("paper_configs/claims.yaml",), lambda: load_claims(CONFIGS / "claims.yaml")
    ),
    "citation": Kind("CITATION.cff", ("CITATION.cff",), read_citation),
    "known": Kind(str(KNOWN), (str(KNOWN),), read_known),
}

MANY = {str(number): list(range(10)) for number in range(20)}
VARIED = [
    {"vary": vary}
    for vary in (
        {f"training.{name}": values for name, values in MANY.items()},
        *(
            {path: [1, 2]}
            for path in ("seeds.0", "suite.x", "regularizer.name.x", "", ".", "training", "method.options.x.y")
        ),
        {"training.epochs": [{"a": 1}], "regularizer": [None, 3, "x"]},
        {},
        {"training.epochs": []},
        {f"training.{number}": list(range(10)) for number in range(309)},
    )
]
CHOICES = [{name: {f"o{value}": {} for value in values} for name, values in MANY.items()}] + [
    {"data": {"a": change, "b": {}}}
    for change in (
        {"set": {"seeds.0": 1}},
        {"set": {"suite.x": 1}},
        {"set": {"": 1}},
        {"times": {"dataset": 2}},
        {"times": {"training": 2}},
        {"times": {"seeds": 1e9}},
        {"times": {"training.epochs": 1e300}},
        {"times": {"training.learning_rate": -1}},
    )
]
CRAFTED = [
    ("runs", {"dataset": "multimnist", "architecture": {"name": "x" * 10_000}}),
    ("cost", {"methods": [{"name": "x" * 10_000}]}),
    ("data sets", {"x": {"kind": "x" * 10_000}}),
    *(("sweeps", {"sweeps": {"x": {"use": {"name": "none"}} | block}}) for block in VARIED),
    *(("specifications", {"choices": choices, "balanced": next(iter(choices))}) for choices in CHOICES),
]
"""Settings of a good file, replaced: combinations without end, and paths that lead nowhere."""


def crafted() -> list[tuple[str, bytes]]:
    """Each as a file."""
    return [(name, write(KINDS[name].trees()[0] | changes)) for name, changes in CRAFTED]


def write(tree: Any) -> bytes:
    """As YAML, whatever it holds."""
    return yaml.dump(tree, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")


@cache
def _parsed(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
