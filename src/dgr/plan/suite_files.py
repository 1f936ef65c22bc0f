"""The schema of a suite's YAML files, from which the plan is expanded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, PositiveInt

from dgr.config.architectures import ArchitectureConfig
from dgr.config.parsing import Strict, parse, read_yaml
from dgr.config.runs import MethodConfig, ProbeConfig, RegularizerConfig, Seeds, TrainingConfig, TuningRule
from dgr.core.errors import DGRError, nearest


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


if TYPE_CHECKING:
    # Studies bring torch and scipy, which a suite of runs is planned without.
    from dgr.plan.study_files import StudyFile

    AnyFile = TableFile | SweepFile | CostFile | StudyFile

RUNS: dict[str, type[TableFile | SweepFile | CostFile]] = {"runs": TableFile, "sweeps": SweepFile, "cost": CostFile}


def read_file(path: Path) -> AnyFile:
    """One YAML file of a suite, told apart by its ``kind``.

    Raises:
        DGRError: it is not readable, of no known kind, or does not fit the schema.
    """
    data = read_yaml(path)
    kind = data.get("kind") if isinstance(data, dict) else None
    if kind == "study":
        from dgr.plan.study_files import StudyFile

        return parse(StudyFile, data, str(path))
    if kind not in RUNS:
        raise DGRError(f"{path}: unknown kind '{kind}'{nearest(str(kind), (*RUNS, 'study'))}")
    return parse(RUNS[kind], data, str(path))
