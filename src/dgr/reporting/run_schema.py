"""What stands in the JSON files of a run and of a tuning, as far as reports use it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, FiniteFloat

Split = Literal["train", "val", "test"]
Values = dict[str, dict[str, FiniteFloat]]  # task → metric → value
SPLITS: tuple[Split, ...] = ("train", "val", "test")


class TaskRecord(BaseModel):
    """The primary metric of a task."""

    metric: str
    higher_is_better: bool


class Evaluation(BaseModel):
    """All metrics of all tasks on all splits at one epoch."""

    epoch: int
    train: Values
    val: Values
    test: Values


class Metrics(BaseModel):
    """``metrics.json`` of one seed."""

    identity: dict[str, str | int]
    strength: FiniteFloat | None
    tasks: dict[str, TaskRecord]
    final: Evaluation
    best_validation: Evaluation
    representation_norm: dict[Split, FiniteFloat]


class Provenance(BaseModel):
    """``provenance.json`` of one seed, as far as it is tabulated."""

    config: dict[str, Any]
    commit: str | None
    dirty: bool | None
    config_hash: str
    versions: dict[str, str | None]
    device: str
    threads: int
    wall_seconds: FiniteFloat
    peak_memory_mb: FiniteFloat | None


class Candidate(BaseModel):
    """One training of a tuning grid."""

    strength: FiniteFloat
    seed: int
    val: Values


class Tuning(BaseModel):
    """``tuning/KEY.json``."""

    key: str
    rule: str
    grid: list[Candidate]
    chosen: FiniteFloat
