"""One checked run, tuning or study as rows of the suite's records."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from dgr.records.file_schemas import SPLITS, Baselines, Costs, Probes, Sweep, Tuning, UniversalityRow, Values
from dgr.records.run_folders import IDENTITY, SeedRecord

BEST_EPOCH = "_best_epoch"
REPRESENTATION = "representation"
RUN_COLUMNS = [*IDENTITY, "task", "split", "metric", "value"]
TUNING_COLUMNS = ["suite", "key", "method", "regularizer", "strength", "seed", *RUN_COLUMNS[6:], "chosen"]
PROBE_COLUMNS = [*IDENTITY, "source", "task", "classifier", "value"]
UNIVERSALITY_COLUMNS = [*IDENTITY, *(name for name in UniversalityRow.model_fields if name not in IDENTITY)]
SWEEP_COLUMNS = ["suite", "sweep", "settings", "seed", "split", "task", "metric", "value"]
AGREEMENT_COLUMNS = ["suite", "sweep", "settings", "seed", "epoch", "cosine", "norm_ratio"]
COST_COLUMNS = [
    *("suite", "dataset", "architecture", "device", "threads", "method", "regularizer"),
    *("num_dummies", "seconds_per_step", "ratio", "peak_memory_mb"),
]
Row = dict[str, Any]


def metric_rows(identity: Row, record: SeedRecord) -> list[Row]:
    """Rows of ``runs.csv``: every metric at the last epoch, the primary one also at the best validation epoch."""
    metrics = record.metrics
    rows = []
    for task, primary in metrics.tasks.items():
        for split in SPLITS:
            final: Values = getattr(metrics.final, split)
            best: Values = getattr(metrics.best_validation, split)
            values = {**final[task], f"{primary.metric}{BEST_EPOCH}": best[task][primary.metric]}
            rows += [{"task": task, "split": split, "metric": metric, "value": v} for metric, v in values.items()]
    for split in SPLITS:
        norm = metrics.representation_norm[split]
        rows.append({"task": REPRESENTATION, "split": split, "metric": "mean_norm", "value": norm})
    return [{**identity, **row} for row in rows]


def history_rows(identity: Row, record: SeedRecord) -> pd.DataFrame:
    """Rows of ``histories.csv``, one an epoch.

    Times differ from one execution to the next and are left out; their summary stands in ``provenance.csv``.
    """
    history = record.history.drop(columns="seconds")
    return pd.concat([pd.DataFrame([identity] * len(history), columns=IDENTITY), history], axis=1)


def tuning_rows(key: str, identity: Row, tuning: Tuning) -> list[Row]:
    """Rows of ``tuning.csv``, one a strength, seed, task and metric."""
    return [
        {
            **{name: identity[name] for name in ("suite", "method", "regularizer")},
            "key": key,
            "strength": candidate.strength,
            "seed": candidate.seed,
            "task": task,
            "split": "val",
            "metric": metric,
            "value": value,
            "chosen": candidate.strength == tuning.chosen,
        }
        for candidate in tuning.grid
        for task, values in (candidate.val or {}).items()
        for metric, value in values.items()
    ]


def provenance_row(key: str, identity: Row, record: SeedRecord) -> Row:
    """The row of ``provenance.csv``."""
    provenance = record.provenance.model_dump(exclude={"config"})
    versions = {f"version_{name}": version for name, version in provenance.pop("versions").items()}
    seconds = {"median_epoch_seconds": record.history["seconds"].median()}
    return {"key": key, **identity, "strength": record.metrics.strength, **provenance, **seconds, **versions}


def probe_rows(identity: Row, probes: Probes) -> list[Row]:
    """Rows of ``probes.csv`` for one run, one a seed, source, task and classifier."""
    return [{**identity, **row.model_dump()} for row in probes.rows]


def baseline_rows(entry: Row, baselines: Baselines) -> list[Row]:
    """Rows of ``probes.csv`` without a run: architecture, method, regularizer and seed stay empty."""
    return [{"suite": entry["suite"], "dataset": entry["dataset"], **row.model_dump()} for row in baselines.rows]


def universality_rows(identity: Row, probes: Probes) -> list[Row]:
    """Rows of ``universality.csv`` for one run, one a seed, epoch and task."""
    return [{**identity, **row.model_dump()} for row in probes.universality]


def sweep_rows(entry: Row, sweep: Sweep) -> list[Row]:
    """Rows of ``sweeps.csv``, one a point, seed, split, task and metric."""
    names = {"suite": entry["suite"], "sweep": sweep.name}
    return [{**names, **row.model_dump(), "settings": settings_text(row.settings)} for row in sweep.rows]


def agreement_rows(entry: Row, sweep: Sweep) -> list[Row]:
    """Rows of ``agreement.csv``, one a point, seed and epoch."""
    names = {"suite": entry["suite"], "sweep": sweep.name}
    return [{**names, **row.model_dump(), "settings": settings_text(row.settings)} for row in sweep.agreement]


def cost_rows(entry: Row, costs: Costs) -> list[Row]:
    """Rows of ``costs.csv``, one a method, regularizer and number of dummies."""
    place = {"suite": entry["suite"], "dataset": entry["dataset"], "architecture": entry["architecture"]["name"]}
    measured = {"device": costs.device, "threads": costs.threads}
    return [{**place, **measured, **row.model_dump()} for row in costs.rows]


def settings_text(settings: Row) -> str:
    """The settings of a sweep's point as they stand in a record: JSON in the order of the configuration."""
    return json.dumps(settings)
