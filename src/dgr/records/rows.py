"""One checked run, tuning or measurement as rows of the suite's records."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

import pandas as pd

from dgr.config.runs import SPLITS
from dgr.core.provenance import config_hash
from dgr.records.file_schemas import Baselines, Costs, Probes, Sweep, TaskValues, Tuning, UniversalityRow
from dgr.records.run_folders import IDENTITY, SeedRecord

Moment = Literal["final", "best_validation"]
"""When a metric was taken: after the last epoch, or after that of the best validation mean."""
FINAL: Final = "final"
REPRESENTATION = "representation"
DIVERGED = "diverged"
"""The one metric of a sweep's point and seed whose training diverged, with the value 1."""
RUN_COLUMNS = [*IDENTITY, "task", "split", "metric", "primary", "moment", "value"]
TUNING_COLUMNS = [
    *("suite", "key", "method", "regularizer", "learning_rate", "strength", "seed"),
    *("task", "split", "metric", "value", "chosen"),
]
PROBE_COLUMNS = [*IDENTITY, "given", "task", "classifier", "value"]
UNIVERSALITY_COLUMNS = [*IDENTITY, *(name for name in UniversalityRow.model_fields if name not in IDENTITY)]
SWEEP_COLUMNS = ["suite", "sweep", "settings", "seed", "split", "task", "metric", "value"]
AGREEMENT_COLUMNS = ["suite", "sweep", "settings", "seed", "epoch", "cosine", "norm_ratio"]
COST_COLUMNS = [
    *("suite", "dataset", "architecture", "device", "threads", "method", "regularizer"),
    *("num_dummies", "round", "seconds_per_step", "peak_memory_mb"),
]
CsvRow = dict[str, Any]


def metric_rows(identity: CsvRow, record: SeedRecord) -> list[CsvRow]:
    """Rows of ``runs.csv``: every metric at the last epoch, the primary one also at the best validation epoch."""
    metrics = record.metrics
    rows = []
    for task, primary in metrics.tasks.items():
        for split in SPLITS:
            place = {**identity, "task": task, "split": split}
            final: TaskValues = getattr(metrics.final, split)
            best: TaskValues = getattr(metrics.best_validation, split)
            for metric, value in final[task].items():
                rows.append(place | _value(metric, metric == primary.metric, FINAL, value))
            rows.append(place | _value(primary.metric, True, "best_validation", best[task][primary.metric]))
    for split in SPLITS:
        norm = _value("mean_norm", False, FINAL, metrics.representation_norm[split])
        rows.append({**identity, "task": REPRESENTATION, "split": split, **norm})
    return rows


def _value(metric: str, primary: bool, moment: Moment, value: float) -> CsvRow:
    return {"metric": metric, "primary": primary, "moment": moment, "value": value}


def history_rows(identity: CsvRow, record: SeedRecord) -> pd.DataFrame:
    """Rows of ``histories.csv``, one an epoch."""
    place = pd.DataFrame([identity] * len(record.history), columns=IDENTITY)
    return pd.concat([place, record.history], axis=1)


def tuning_rows(key: str, identity: CsvRow, tuning: Tuning) -> list[CsvRow]:
    """Rows of ``tuning.csv``, one a learning rate, strength, seed, task and metric; none of what diverged."""
    chosen = (tuning.chosen.learning_rate, tuning.chosen.strength)
    return [
        {
            **{name: identity[name] for name in ("suite", "method", "regularizer")},
            "key": key,
            "learning_rate": candidate.learning_rate,
            "strength": candidate.strength,
            "seed": candidate.seed,
            "task": task,
            "split": "val",
            "metric": metric,
            "value": value,
            "chosen": candidate.setting == chosen,
        }
        for candidate in tuning.rows
        if candidate.val is not None
        for task, values in (candidate.val | {REPRESENTATION: {"mean_norm": candidate.mean_norm or 0.0}}).items()
        for metric, value in values.items()
    ]


def provenance_row(key: str, identity: CsvRow, record: SeedRecord) -> CsvRow:
    """The row of ``provenance.csv``: what a seed's result depends on and what it is, in hashes."""
    hashes = {"config_hash": config_hash(record.metrics.config), "result": record.result}
    chosen = {"learning_rate": record.metrics.learning_rate, "strength": record.metrics.strength}
    return {"key": key, **identity, **chosen, **hashes}


def origin_row(key: str, identity: CsvRow, record: SeedRecord) -> CsvRow:
    """The row of ``origins/runs.csv``: who made a seed's result; empty but for the result where nobody here did."""
    place = {"key": key, "seed": identity["seed"], "result": record.result}
    if record.origin is None:
        return place
    made = record.origin.model_dump(exclude={"result"})
    versions = {f"version_{name}": value for name, value in made.pop("versions").items()}
    return {**place, **made, **versions}


def probe_rows(identity: CsvRow, probes: Probes) -> list[CsvRow]:
    """Rows of ``probes.csv`` for one run, one a seed, given, task and classifier."""
    return [{**identity, **row.model_dump()} for row in probes.rows]


def baseline_rows(entry: CsvRow, baselines: Baselines) -> list[CsvRow]:
    """Rows of ``probes.csv`` without a run: architecture, method, regularizer and seed stay empty."""
    return [{"suite": entry["suite"], "dataset": entry["dataset"], **row.model_dump()} for row in baselines.rows]


def universality_rows(identity: CsvRow, probes: Probes) -> list[CsvRow]:
    """Rows of ``universality.csv`` for one run, one a seed, epoch and task."""
    return [{**identity, **row.model_dump()} for row in probes.universality]


def sweep_rows(entry: CsvRow, sweep: Sweep) -> list[CsvRow]:
    """Rows of ``sweeps.csv``, one a point, seed, split, task and metric."""
    names = {"suite": entry["suite"], "sweep": sweep.name}
    return [{**names, **row.model_dump(), "settings": settings_text(row.settings)} for row in sweep.rows]


def agreement_rows(entry: CsvRow, sweep: Sweep) -> list[CsvRow]:
    """Rows of ``agreement.csv``, one a point, seed and epoch."""
    names = {"suite": entry["suite"], "sweep": sweep.name}
    return [{**names, **row.model_dump(), "settings": settings_text(row.settings)} for row in sweep.agreement]


def cost_rows(entry: CsvRow, costs: Costs) -> list[CsvRow]:
    """Rows of ``costs.csv``, one a method, regularizer, number of dummies and round."""
    place = {"suite": entry["suite"], "dataset": entry["dataset"], "architecture": entry["architecture"]["name"]}
    measured = {"device": costs.device, "threads": costs.threads}
    return [
        {**place, **measured, **row.model_dump(exclude={"seconds"}), "round": number, "seconds_per_step": seconds}
        for row in costs.rows
        for number, seconds in enumerate(row.seconds)
    ]


def settings_text(settings: CsvRow) -> str:
    """The settings of a sweep's point as they stand in a record: JSON in the order of the configuration."""
    return json.dumps(settings)
