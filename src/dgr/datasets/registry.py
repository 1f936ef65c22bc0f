"""Data sets by their kind: a file in ``datasets/kinds`` whose ``Config`` says what it is and makes its arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dgr.config.datasets import DatasetConfig
from dgr.config.parsing import parse, read_yaml
from dgr.config.plan_file import Plan
from dgr.core.errors import DGRError, nearest
from dgr.core.registry import Registry

KINDS = Registry("dgr.datasets.kinds", "kind of data set", ("Config",))
STAGES_OF_DATA = ("datasets", "fetched_datasets", "local_datasets")
"""Where a plan describes its data sets: made here, from a source, from files of the user's own."""


def parse_dataset(data: Any, where: str) -> DatasetConfig:
    """The configuration of a data set, which the file of its kind reads.

    Args:
        data: its block of YAML or of a plan.
        where: for the message.

    Raises:
        DGRError: there is no such kind, or the block is wrong.
    """
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str):
        raise DGRError(f"{where}: it does not say its kind{nearest('', KINDS)}.")
    try:
        KINDS.check(kind)
    except DGRError as error:
        raise DGRError(f"{where}: {error}") from None
    config: DatasetConfig = parse(KINDS[kind].Config, data, where)
    return config


def read_datasets(configs: Path) -> dict[str, DatasetConfig]:
    """All data sets of ``datasets.yaml`` by name.

    Raises:
        DGRError: the file is missing, or one of its entries is wrong.
    """
    path = configs / "datasets.yaml"
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise DGRError(f"{path} must name data sets, each with its kind.")
    return {name: parse_dataset(entry, f"{path}: {name}") for name, entry in data.items()}


def planned_dataset(name: str, plan: Plan) -> DatasetConfig:
    """A data set of a plan.

    Raises:
        DGRError: there is none of that name, or its entry is damaged.
    """
    known = {key: entry for stage in STAGES_OF_DATA for key, entry in plan[stage].items()}
    if name not in known:
        raise DGRError(f"Unknown data set '{name}'{nearest(name, known)}.")
    return parse_dataset(known[name], name)
