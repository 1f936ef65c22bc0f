"""The schema of a suite's YAML files, from which the plan is expanded."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, RootModel

from dgr.config.architectures import ArchitectureConfig
from dgr.config.parsing import Strict
from dgr.config.runs import MethodConfig, ProbeConfig, RegularizerConfig, Seeds, TrainingConfig, TuningRule
from dgr.config.study_report import StudyReportEntry
from dgr.studies.schema import StudyEntry


class RegularizerBlock(Strict):
    """One regularizer of a table: for which methods, and how its strength is chosen where it is tuned."""

    use: RegularizerConfig
    methods: list[str] | None = None
    tuning: TuningRule | None = None


class Common(Strict):
    """What every file of a suite says."""

    suite: str
    dataset: str
    architecture: ArchitectureConfig
    training: TrainingConfig
    tables: list[str] = []
    figures: list[str] = []


class SnapshotBlock(Strict):
    """Which methods' runs also keep the representation of earlier epochs."""

    methods: list[str]
    epochs: list[int]


class EmbeddingBlock(Strict):
    """Which method's representations are shown in the plane, without and with DGR."""

    method: str
    seed: int
    samples: int
    perplexity: float


class TableFile(Common):
    """Every method crossed with every regularizer, and how their representations are probed."""

    kind: Literal["runs"]
    seeds: Seeds
    methods: list[MethodConfig] = Field(min_length=1)
    regularizers: list[RegularizerBlock] = Field(min_length=1)
    snapshots: SnapshotBlock | None = None
    probes: ProbeConfig | None = None
    embedding: EmbeddingBlock | None = None


class SweepBlock(Strict):
    """One sensitivity study."""

    use: RegularizerConfig
    vary: dict[str, list[Any]]


class SweepFile(Common):
    """Sensitivity studies of one method."""

    kind: Literal["sweeps"]
    seeds: Seeds
    method: MethodConfig
    sweeps: dict[str, SweepBlock]


class CostFile(Common):
    """A cost measurement."""

    kind: Literal["cost"]
    methods: list[MethodConfig]
    rounds: PositiveInt
    steps: PositiveInt


class StudyFile(StudyEntry, StudyReportEntry):
    """A study: what is done, and how it is told."""

    kind: Literal["study"]

    def entry(self) -> StudyEntry:
        """The part that decides the numbers."""
        return StudyEntry(suite=self.suite, name=self.name, seeds=self.seeds, study=self.study)

    def report(self) -> StudyReportEntry:
        """The part that decides how they are shown."""
        return StudyReportEntry(**self.model_dump(exclude={"kind", "seeds", "study"}))


class SuiteFile(RootModel[Annotated[TableFile | SweepFile | CostFile | StudyFile, Field(discriminator="kind")]]):
    """One YAML file of a suite, told apart by its ``kind``."""
