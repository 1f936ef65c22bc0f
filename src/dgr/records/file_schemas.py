"""What stands in the JSON files of runs, tunings and measurements, as far as reports use it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, FiniteFloat

from dgr.config.runs import SplitName

TaskValues = dict[str, dict[str, FiniteFloat]]
"""Task → metric → value."""


class TaskRecord(BaseModel):
    """The primary metric of a task."""

    metric: str
    higher_is_better: bool


class EpochMetrics(BaseModel):
    """All metrics of all tasks on all splits at one epoch."""

    epoch: int
    train: TaskValues
    val: TaskValues
    test: TaskValues


class Metrics(BaseModel):
    """``metrics.json`` of one seed."""

    identity: dict[str, str | int]
    config: dict[str, Any]
    strength: FiniteFloat | None
    tasks: dict[str, TaskRecord]
    final: EpochMetrics
    best_validation: EpochMetrics
    representation_norm: dict[str, FiniteFloat]
    """By split."""


class Origin(BaseModel):
    """``runs/shared/origins/SUITE/KEY/seed-N.json``: who made one seed's result."""

    result: str
    commit: str | None
    dirty: bool | None
    versions: dict[str, str | None]
    device: str
    numerics: str
    threads: int
    wall_seconds: FiniteFloat
    peak_memory_mb: FiniteFloat | None
    median_epoch_seconds: FiniteFloat


class Candidate(BaseModel):
    """One training of a tuning grid."""

    strength: FiniteFloat
    seed: int
    val: TaskValues | None
    """None where training diverged."""


class Tuning(BaseModel):
    """``runs/SUITE/tune/KEY.json``."""

    key: str
    rule: str
    grid: list[Candidate]
    chosen: FiniteFloat


class ProbeRow(BaseModel):
    """The test accuracy of one classifier on one representation."""

    seed: int
    given: Literal["representation", "untrained"]
    task: str
    classifier: str
    value: FiniteFloat


class UniversalityRow(BaseModel):
    """Losses of untrained and refitted heads of one task at one epoch, see :mod:`dgr.measurements.universality`."""

    seed: int
    epoch: int
    task: str
    random_loss: FiniteFloat
    random_loss_sd: FiniteFloat
    refitted_loss: FiniteFloat
    gap: FiniteFloat
    random_loss_normalized: FiniteFloat
    gap_normalized: FiniteFloat
    mean_norm: FiniteFloat


class Probes(BaseModel):
    """``runs/SUITE/probe/KEY.json``."""

    key: str
    config: dict[str, Any]
    rows: list[ProbeRow]
    universality: list[UniversalityRow]


class BaselineRow(BaseModel):
    """The test accuracy of one classifier without an encoder."""

    given: Literal["majority", "pixels"]
    task: str
    classifier: str
    value: FiniteFloat


class Baselines(BaseModel):
    """``runs/SUITE/baselines/KEY.json``."""

    key: str
    config: dict[str, Any]
    rows: list[BaselineRow]


class SweepRow(BaseModel):
    """One metric of one point of a sweep, last epoch."""

    settings: dict[str, Any]
    seed: int
    split: SplitName
    task: str
    metric: str
    value: FiniteFloat


class AgreementRow(BaseModel):
    """How far two estimators of DGR's gradient agree at one epoch."""

    settings: dict[str, Any]
    seed: int
    epoch: int
    cosine: FiniteFloat
    norm_ratio: FiniteFloat


class Sweep(BaseModel):
    """``runs/SUITE/sweep/KEY.json``."""

    key: str
    name: str
    rows: list[SweepRow]
    agreement: list[AgreementRow]


class CostRow(BaseModel):
    """What a training step costs: ``seconds`` a step in each round, in which the cases took turns."""

    method: str
    regularizer: str
    num_dummies: int
    seconds: Annotated[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1)]
    peak_memory_mb: FiniteFloat | None


class Costs(BaseModel):
    """``runs/SUITE/cost/KEY.json``."""

    key: str
    device: str
    threads: int
    rows: list[CostRow]
