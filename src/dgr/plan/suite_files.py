"""The schema of a suite's YAML files, from which the plan is expanded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, field_validator

from dgr.config.parsing import Strict, parse, read_yaml
from dgr.config.runs import MethodConfig, ProbeConfig, Seeds, TrainingConfig, TuningRule
from dgr.core.errors import DGRError, nearest
from dgr.core.registry import Listing
from dgr.models.registry import AnyArchitecture
from dgr.regularizers.registry import AnyRegularizer

MOST_COMBINATIONS = 10_000
"""Of values or options: a few lines name billions, and all are listed before the first is trained."""
Varied = TypeVar("Varied", bound=Mapping[str, Sized])


def _few_combinations(varied: Varied) -> Varied:
    count = math.prod(map(len, varied.values()))
    if count > MOST_COMBINATIONS:
        told = f"{count:,}" if count < 10**15 else "more than 10^15"
        raise ValueError(f"there are {told} combinations, but at most {MOST_COMBINATIONS:,} should be asked for")
    return varied


def _made(kind: str) -> AfterValidator:
    """Names that a file of tables or figures declares; none is imported for it."""
    files = Listing(f"dgr.{kind}s", kind)

    def check(names: list[str]) -> list[str]:
        known = sorted(files.by_names())
        for name in names:
            if name.partition("-")[0] not in known:
                raise ValueError(f"there is no {kind} '{name}'{nearest(name, known)}")
        return names

    return AfterValidator(check)


def _known(method: MethodConfig) -> MethodConfig:
    if method.name not in METHOD_FILES:
        raise ValueError(f"unknown method '{method.name}'{nearest(method.name, METHOD_FILES)}")
    return method


METHOD_FILES = Listing("dgr.methods", "method")
KnownMethod = Annotated[MethodConfig, AfterValidator(_known)]


class RegularizerBlock(Strict):
    """One regularizer of a table: for which methods, and how it is tuned."""

    use: AnyRegularizer
    """The regularizer and its settings."""
    methods: list[str] | None = None
    """For which methods of the table; without it, for all."""
    tuning: TuningRule | None = None
    """How learning rate and strength are chosen; exactly where one of them is ``tuned``."""


class Common(Strict):
    """What every file of a suite says."""

    suite: str
    dataset: str
    architecture: AnyArchitecture
    training: TrainingConfig
    tables: Annotated[list[str], _made("table")] = []
    """Names of the tables to make of the suite, such as ``T1``."""
    figures: Annotated[list[str], _made("figure")] = []
    """Names of the figures to make of the suite, such as ``F2``."""


class SnapshotBlock(Strict):
    """Which methods' runs also keep the representation of earlier epochs."""

    methods: list[str]
    """Names of these methods."""
    epochs: list[int]
    """After which epochs; 0 is the untrained encoder."""
    regularizers: list[str] | None = None
    """With which regularizers; without it, with all."""

    def are_kept_of(self, method: str, regularizer: str) -> bool:
        """Whether a run is among those."""
        return method in self.methods and (self.regularizers is None or regularizer in self.regularizers)


class EmbeddingBlock(Strict):
    """Which method's representations are shown in the plane, without and with DGR."""

    method: str
    """Its name."""
    seed: int
    """The seed whose runs are shown."""
    samples: int
    """How many test samples are shown."""
    perplexity: float
    """Of t-SNE: about how many neighbours a sample has."""


class TableFile(Common):
    """Every method crossed with every regularizer, and how their representations are probed."""

    kind: Literal["runs"]
    seeds: Seeds
    methods: list[KnownMethod] = Field(min_length=1)
    """Rows of the table."""
    regularizers: list[RegularizerBlock] = Field(min_length=1)
    """Those that the methods are crossed with; ``none`` among them is the method alone."""
    snapshots: SnapshotBlock | None = None
    """Representations of earlier epochs, for the figure of universality over time."""
    probes: ProbeConfig | None = None
    """How frozen representations are examined; without it they are not."""
    probed: list[str] | None = None
    """Names of the regularizers whose runs are examined; without it, all are."""
    embedding: EmbeddingBlock | None = None
    """What the figure in the plane shows; without it there is none."""
    remark: str | None = None
    """What a reader must know of the data: a sentence or two that stand under each of the file's tables and figures."""


class SweepBlock(Strict):
    """One sweep: a run whose settings are varied."""

    use: AnyRegularizer
    """The regularizer that the sweep starts from."""
    vary: Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]
    """A setting's path, such as ``regularizer.strength``, and the values it takes; every combination is trained."""

    @field_validator("vary")
    @classmethod
    def _are_few(cls, vary: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return _few_combinations(vary)


class SweepFile(Common):
    """Sweeps of one method."""

    kind: Literal["sweeps"]
    seeds: Seeds
    method: KnownMethod
    """The method of all sweeps."""
    sweeps: dict[str, SweepBlock]
    """By name."""


class CostFile(Common):
    """A cost measurement."""

    kind: Literal["cost"]
    methods: list[KnownMethod]
    """Those that are timed, without and with DGR."""
    num_dummies: Annotated[list[PositiveInt], Field(min_length=1)] = [1, 4]
    """Numbers of dummy sets that DGR is timed with."""
    controls: list[str] = ["norm"]
    """Penalties that are timed beside it, with equal weighting only."""
    rounds: PositiveInt
    """How often every method has its turn; a ratio is the median of those within a round."""
    steps: PositiveInt
    """Timed training steps of a turn."""


class Option(Strict):
    """One option of a choice: what it changes in the base configuration."""

    set: dict[str, Any] = {}
    """New values by the setting's path, such as ``architecture.channels``."""
    times: dict[str, float] = {}
    """Factors of numbers, by path, after all options have set their values; whole numbers stay whole."""


class SpecificationFile(Common):
    """Arms of one method under a designed part of all combinations of choices: a specification curve."""

    kind: Literal["specifications"]
    method: KnownMethod
    """Of all arms."""
    seeds: Seeds
    arms: Annotated[list[dict[str, Any]], Field(min_length=2)]
    """Regularizers with their strengths; of those of one name the best on validation counts."""
    choices: dict[str, dict[str, Option]]
    """By name of the choice, its options by name."""
    region: PositiveFloat
    """A difference of mean test accuracy within ± this is too small to matter; as a fraction: 0.005 is half a point."""
    balanced: str
    """The choice that is not crossed with the others: its option is the sum of the others' positions modulo the number
    of its options, as in a Latin square. So each occurs about equally often with every option of every other choice."""

    @field_validator("choices")
    @classmethod
    def _are_few(cls, choices: dict[str, dict[str, Option]]) -> dict[str, dict[str, Option]]:
        return _few_combinations(choices)


if TYPE_CHECKING:
    # Studies bring torch and scipy, which a suite of runs is planned without.
    from dgr.plan.study_files import RealStudyFile, StudyFile

    AnyFile = TableFile | SweepFile | SpecificationFile | CostFile | StudyFile | RealStudyFile

FILE_KINDS: dict[str, type[TableFile | SweepFile | SpecificationFile | CostFile]] = {
    "runs": TableFile,
    "sweeps": SweepFile,
    "specifications": SpecificationFile,
    "cost": CostFile,
}
STUDY_KINDS = ("study", "real_study")


def read_file(path: Path) -> AnyFile:
    """One YAML file of a suite, told apart by its ``kind``.

    Raises:
        DGRError: it is not readable, of no known kind, or does not fit the schema.
    """
    data = read_yaml(path)
    kind = data.get("kind") if isinstance(data, dict) else None
    if isinstance(kind, str) and kind in STUDY_KINDS:
        from dgr.plan.study_files import STUDY_FILES

        return parse(STUDY_FILES[kind], data, str(path))
    if not isinstance(kind, str) or kind not in FILE_KINDS:
        raise DGRError(f"{path}: unknown kind '{kind}'{nearest(str(kind), (*FILE_KINDS, *STUDY_KINDS))}")
    return parse(FILE_KINDS[kind], data, str(path))
