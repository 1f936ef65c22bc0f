"""Reading what one training or one tuning left behind, and refusing whatever is missing, damaged or does not fit."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel

from dgr.config.parsing import parse
from dgr.config.runs import SPLITS
from dgr.core.errors import DGRError
from dgr.core.files import MANIFEST, read_json, read_manifest
from dgr.core.paths import MADE, output_path, tuning_file
from dgr.core.provenance import result_hash
from dgr.records.csv_files import read_frame
from dgr.records.file_schemas import Metrics, Origin, TaskValues, Tuning
from dgr.records.names import KNOWN_REGULARIZERS, METRICS

IDENTITY = ["suite", "dataset", "architecture", "method", "regularizer", "seed"]


@dataclass(frozen=True)
class SeedRecord:
    """Everything that reports use of one run with one seed."""

    metrics: Metrics
    history: pd.DataFrame
    folder: Path
    """Of its files."""
    result: str
    """See :func:`dgr.core.provenance.result_hash`."""
    origin: Origin | None
    """None where this result was not made here, but restored."""


_Schema = TypeVar("_Schema", bound=BaseModel)


def run_identity(entry: dict[str, Any], seed: int) -> dict[str, str | int]:
    """The identity of a run's seed, from the plan's entry of the run."""
    named = {name: entry[name]["name"] for name in ("architecture", "method", "regularizer")}
    return {"suite": entry["suite"], "dataset": entry["dataset"], **named, "seed": seed}


def read_run(key: str, entry: dict[str, Any], root: Path) -> list[SeedRecord]:
    """Read and check all seeds of one configured run.

    Args:
        key: the run's key, also the name of its folder.
        entry: the run's entry in the plan.
        root: the repository's top folder.

    Returns:
        One record a seed, in the order of the configuration.

    Raises:
        DGRError: what is wrong with which file, and how to make the run again.
    """
    folder = root / output_path(entry["suite"], "train", key)
    remedy = f"make it with `python -m dgr train {key}`, or all that is missing with `snakemake --cores all`"
    listed = read_manifest(folder, remedy)["files"]
    made = {name.split("/")[0] for name in listed}
    wanted = {f"seed-{seed}" for seed in entry["seeds"]}
    if made != wanted:
        raise DGRError(f"{folder} holds {_list(made)}, but {_list(wanted)} are configured; {remedy}.")
    for name in (f"{seed}/{file}" for seed in sorted(wanted) for file in ("metrics.json", "history.csv")):
        if name not in listed:
            raise DGRError(f"{folder / name} is missing; {remedy}.")
    records = []
    for seed in entry["seeds"]:
        made_here = root / MADE / entry["suite"] / key / f"seed-{seed}.json"
        record = _read_seed(folder / f"seed-{seed}", run_identity(entry, seed), made_here, remedy)
        trained, resolved = record.metrics.config, _resolved(entry, record.metrics)
        # Earlier records say ``tuned``, as the plan does; later ones what was chosen.
        known = {name: (value, resolved[name]) for name, value in entry.items() if name != "seeds"}
        if differing := [name for name, values in known.items() if trained.get(name) not in values]:
            raise DGRError(f"{folder}/seed-{seed} was trained with another {_list(differing)}; {remedy}.")
        records.append(record)
    return records


def _resolved(entry: dict[str, Any], metrics: Metrics) -> dict[str, Any]:
    """A run's entry in the plan, with what was left to tuning."""
    chosen: dict[str, dict[str, float | None]] = {
        "training": {"learning_rate": metrics.learning_rate},
        "regularizer": {"strength": metrics.strength},
    }
    return entry | {
        block: entry[block] | {name: value for name, value in values.items() if entry[block].get(name) == "tuned"}
        for block, values in chosen.items()
    }


def read_tuning(key: str, entry: dict[str, Any], root: Path) -> Tuning:
    """Read and check the tuning record of one run.

    Args:
        key: the run's key.
        entry: the plan's entry of its tuning.
        root: the repository's top folder.

    Raises:
        DGRError: what is wrong with the file, and how to make it again.
    """
    path = root / tuning_file(entry["run"]["suite"], key)
    remedy = f"make it with `python -m dgr tune {key}`, or all that is missing with `snakemake --cores all`"
    tuning = read_record(path, Tuning, remedy)
    made = {(candidate.setting, candidate.seed) for candidate in tuning.rows}
    tried = {(setting, entry["seeds"][0]) for setting in _grid(entry, tuning)}
    if tuning.key != key or tuning.rule != entry["rule"] or not tried <= made:
        raise DGRError(f"{path} was made for another key, rule or grid than configured; {remedy}.")
    if others := {seed for _, seed in made} - set(entry["seeds"]):
        raise DGRError(f"{path} has seeds {_list(others)}, which are not configured; {remedy}.")
    chosen = (tuning.chosen.learning_rate, tuning.chosen.strength)
    if entry["matched"] is None and not {(chosen, seed) for seed in entry["seeds"]} <= made:
        raise DGRError(f"{path} chooses what was not tried with every seed; {remedy}.")
    return tuning


def _grid(entry: dict[str, Any], tuning: Tuning) -> list[tuple[float, float | None]]:
    """All pairs that are tried first. What is matched says at which learning rate, and else the run."""
    rates = entry["learning_rates"]
    if not rates:
        rate = entry["run"]["training"]["learning_rate"]
        rates = [tuning.chosen.learning_rate if rate == "tuned" else rate]
    strengths = entry["strengths"] or [entry["run"]["regularizer"].get("strength")]
    return [(float(rate), strength) for rate, strength in itertools.product(rates, strengths)]


def _read_seed(folder: Path, identity: dict[str, str | int], made_here: Path, remedy: str) -> SeedRecord:
    path = folder / "metrics.json"
    metrics = read_record(path, Metrics, remedy)
    _check_metrics(metrics, identity, f"{path}", remedy)
    history = _read_history(folder / "history.csv", metrics, remedy)
    manifest = read_manifest(folder, remedy)
    trained = manifest.get("trained", {})
    if not isinstance(trained, dict):
        raise DGRError(f"{folder / MANIFEST} does not say which files were trained; {remedy}.")
    result = result_hash(manifest["files"] | trained)
    origin = read_record(made_here, Origin, remedy) if made_here.exists() else None
    return SeedRecord(metrics, history, folder, result, origin if origin and origin.result == result else None)


def _check_metrics(metrics: Metrics, identity: dict[str, str | int], where: str, remedy: str) -> None:
    if metrics.identity != identity:
        raise DGRError(f"{where} belongs to another run ({_list(metrics.identity.values())}); {remedy}.")
    if (metrics.strength is None) != (KNOWN_REGULARIZERS.declared(str(identity["regularizer"]), "SYMBOL") is None):
        raise DGRError(f"{where}: strength {metrics.strength} with regularizer '{identity['regularizer']}'; {remedy}.")
    if lacking := set(SPLITS) - set(metrics.representation_norm):
        raise DGRError(f"{where}: no representation_norm on {_list(lacking)}; {remedy}.")
    for name, task in metrics.tasks.items():
        if task.metric not in METRICS:
            raise DGRError(f"{where}: Metric '{task.metric}' has no unit and direction for reports; {remedy}.")
        if task.higher_is_better != METRICS[task.metric].higher_is_better:
            raise DGRError(f"{where}: '{task.metric}' of task '{name}' has the wrong direction; {remedy}.")
    for moment in ("final", "best_validation"):
        for split in SPLITS:
            values: TaskValues = getattr(getattr(metrics, moment), split)
            wanted = {f"{name}.{metric}" for name, task in metrics.tasks.items() for metric in ("loss", task.metric)}
            found = {f"{name}.{metric}" for name, row in values.items() for metric in row}
            if missing := wanted - found:
                raise DGRError(f"{where}: {moment}.{split} lacks {_list(missing)}; {remedy}.")
            if set(values) != set(metrics.tasks):
                raise DGRError(f"{where}: {moment}.{split} has tasks {_list(values)}; {remedy}.")


def _read_history(path: Path, metrics: Metrics, remedy: str) -> pd.DataFrame:
    history = read_frame(path, remedy)
    columns = ["epoch", "learning_rate", "penalty", "gradient_ratio"]
    for name, task in metrics.tasks.items():
        columns += [f"train_loss/{name}", f"weight/{name}", f"val_loss/{name}", f"val_{task.metric}/{name}"]
    if missing := set(columns) - set(history):
        raise DGRError(f"{path} lacks the columns {_list(missing)}; {remedy}.")
    if history.empty or history["epoch"].iloc[-1] != metrics.final.epoch:
        raise DGRError(f"{path} does not end at the last epoch {metrics.final.epoch}; {remedy}.")
    # Without a penalty in the loss it and its ratio, and only these two, may be empty.
    penalized = KNOWN_REGULARIZERS.declared(str(metrics.identity["regularizer"]), "PENALTY")
    filled = [name for name in columns if penalized or name not in ("penalty", "gradient_ratio")]
    numbers = history[filled].apply(pd.to_numeric, errors="coerce")
    if len(bad := numbers.columns[~np.isfinite(numbers).all()]):
        raise DGRError(f"{path}: values that are not finite numbers in {_list(bad)}; {remedy}.")
    return history


def read_record(path: Path, schema: type[_Schema], remedy: str) -> _Schema:
    """Read and check a JSON file; what is wrong with it, and how to make it again, is one sentence.

    Raises:
        DGRError: with that sentence.
    """
    try:
        return parse(schema, read_json(path, remedy), str(path))
    except DGRError as error:
        message = str(error)
        raise DGRError(message if remedy in message else f"{message.rstrip('.')}; {remedy}.") from error


def _list(values: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, values))) or "nothing"
