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
    learning_rate: FiniteFloat
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


class ChosenSetting(BaseModel):
    """What tuning chooses."""

    learning_rate: FiniteFloat
    strength: FiniteFloat | None


class Candidate(ChosenSetting):
    """One training of a tuning."""

    seed: int
    val: TaskValues | None
    """None where training diverged."""
    mean_norm: FiniteFloat | None

    @property
    def setting(self) -> tuple[float, float | None]:
        """Learning rate and strength."""
        return self.learning_rate, self.strength


class Matched(BaseModel):
    """The ‖z‖ that a tuning was to reach: whose, how large on validation data, and what the choice was to give."""

    key: str
    norm: FiniteFloat
    expected_norm: FiniteFloat


class Tuning(BaseModel):
    """``results/SUITE/tuning/KEY.json``."""

    key: str
    rule: str
    rows: list[Candidate]
    chosen: ChosenSetting
    matched: Matched | None = None


class ProbeRow(BaseModel):
    """The balanced test accuracy of one classifier on one representation."""

    seed: int
    given: Literal["representation", "untrained"]
    task: str
    classifier: str
    value: FiniteFloat


class UniversalityRow(BaseModel):
    """Losses of heads of one task at one epoch, see :class:`dgr.measurements.universality.Universality`."""

    seed: int
    epoch: int
    task: str
    refitted_loss: FiniteFloat
    label_area: FiniteFloat
    step_area: FiniteFloat
    tempered_loss: FiniteFloat
    mean_norm: FiniteFloat


class Probes(BaseModel):
    """``runs/SUITE/probe/KEY.json``."""

    key: str
    config: dict[str, Any]
    rows: list[ProbeRow]
    universality: list[UniversalityRow]


class BaselineRow(BaseModel):
    """The balanced test accuracy of one classifier without an encoder."""

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
