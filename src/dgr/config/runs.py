"""The typed schema of ``paper_configs``: the only place where an experiment is described."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from dgr.config.architectures import ArchitectureConfig, VectorArchitecture
from dgr.config.parsing import Strict, parse
from dgr.core.errors import DGRError

Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")
Strength = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class AugmentationConfig(Strict):
    """Random changes of each training sample, of image and targets together."""

    scales: Annotated[list[Annotated[float, Field(ge=1)]], Field(min_length=1)] = [1.0]
    """Enlargement, drawn from these; the result is cut back at random to ``crop``."""
    crop: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = None
    """Height and width of a random cut-out; by default those of the image."""
    flip: bool = False
    """Mirror left and right with probability ½."""


class TrainingConfig(Strict):
    """Optimisation of one run."""

    epochs: PositiveInt
    batch_size: PositiveInt
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: PositiveFloat
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["constant", "cosine", "step"] = "cosine"
    """``step``: half the rate after each third of the epochs."""
    augmentation: AugmentationConfig | None = None
    snapshot_epochs: list[Annotated[int, Field(ge=0)]] = []
    """After which epochs the representation is kept as well; 0 is the untrained encoder."""


class MethodConfig(Strict):
    """A registered method and its options."""

    name: str
    options: dict[str, float | int | bool | str] = {}


class NoRegularizer(Strict):
    """Task losses only."""

    name: Literal["none"]


class DGRConfig(Strict):
    """Dummy Gradient norm Regularization; fields as in :class:`dgr.DummyGradientNorm`."""

    name: Literal["dgr"]
    strength: Strength | Literal["tuned"]
    estimator: Literal["exact", "finite_difference"] = "exact"
    epsilon: PositiveFloat = 1e-3
    num_dummies: PositiveInt = 1
    norm: Literal["squared", "plain"] = "squared"
    per_task: bool = False
    resample: bool = False


class ControlConfig(Strict):
    """What DGR has to beat, tuned alike: a plain penalty on the squared norm of the representation (strength β),
    dropout on the representation (strength = probability), or weight decay (strength = the optimizer's coefficient).
    """

    name: Literal["norm", "dropout", "weight_decay"]
    strength: Strength | Literal["tuned"]

    @model_validator(mode="after")
    def _is_probability(self) -> Self:
        if self.name == "dropout" and self.strength != "tuned" and self.strength >= 1:
            raise ValueError(f"the strength of dropout is a probability below 1, but is {self.strength}")
        return self


RegularizerConfig = Annotated[NoRegularizer | DGRConfig | ControlConfig, Field(discriminator="name")]


class RunConfig(Strict):
    """One cell of a table: a method with a regularizer on a data set, for a list of seeds."""

    suite: str
    dataset: str
    architecture: ArchitectureConfig
    method: MethodConfig
    regularizer: RegularizerConfig
    seeds: Seeds
    training: TrainingConfig

    @property
    def experiment(self) -> str:
        """Names the random streams: what methods that are compared have in common."""
        return f"{self.dataset}/{self.architecture.name}"

    @property
    def key(self) -> str:
        """The stable run id, also the folder name below ``runs``."""
        parts = (self.suite, self.dataset, self.architecture.name, self.method.name, self.regularizer.name)
        return "-".join(parts)


class TuningRule(Strict):
    """How the strength of a regularizer is chosen.

    ``best_mean_validation``: the strength with the highest mean over seeds of the mean over tasks of the relative
    improvement of the validation metric, last epoch, over the smallest strength of the grid; ties go to the smaller.
    """

    rule: Literal["best_mean_validation"]
    grid: Annotated[list[Strength], Field(min_length=2)]
    seeds: Seeds


class TuningConfig(TuningRule):
    """A tuning stage: the rule and the run whose strength it chooses (without its reported seeds)."""

    run: RunConfig


class SweepConfig(Strict):
    """A sensitivity study: one run whose settings are varied, every combination for every seed of the run.

    ``vary`` maps a setting's path, such as ``regularizer.strength``, to the values it takes.
    """

    suite: str
    name: str
    run: RunConfig
    vary: Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]

    def points(self) -> list[tuple[dict[str, Any], RunConfig]]:
        """The varied settings of each combination, and its whole configuration.

        Raises:
            DGRError: a path or a value does not fit a run's schema, or the method itself is varied.
        """
        if {"method", "method.name"} & {*self.vary}:
            raise DGRError(
                f"Sweep '{self.name}' varies its method, but the pipeline knows what one method depends on; "
                "give each method a sweep of its own."
            )
        points = []
        for values in itertools.product(*self.vary.values()):
            settings = dict(zip(self.vary, values, strict=True))
            data = self.run.model_dump(mode="json")
            for path, value in settings.items():
                *blocks, last = path.split(".")
                block = data
                for name in blocks:
                    block = block.get(name, {})
                block[last] = value
            points.append((settings, parse(RunConfig, data, f"sweep '{self.name}' at {settings}")))
        return points


class ProbeConfig(Strict):
    """How a frozen representation is examined."""

    train_samples: PositiveInt
    """Labelled training representations each classifier sees; refitted heads see all."""
    draws: PositiveInt
    """Untrained heads drawn for each task to measure universality."""


class ProbedRun(ProbeConfig):
    """A probing stage: the settings, and the run whose representations are examined."""

    suite: str
    dataset: str
    kind: str
    """Of the data set; its file says which other tasks its labels make."""
    architecture: Annotated[VectorArchitecture, Field(discriminator="name")]
    seeds: Seeds


class BaselineConfig(ProbeConfig):
    """What classifiers reach without any encoder: a stage of its own, since no run is needed."""

    suite: str
    dataset: str
    kind: str
    """As of :class:`ProbedRun`."""


class EmbeddingConfig(Strict):
    """Two runs' test representations, embedded side by side in the plane with the same settings."""

    suite: str
    dataset: str
    plain: str
    regularized: str
    seed: Annotated[int, Field(ge=0)]
    samples: PositiveInt
    perplexity: PositiveFloat


class CostConfig(Strict):
    """A cost measurement: which methods are stepped, each without and with DGR, by rounds of a few steps."""

    suite: str
    dataset: str
    architecture: ArchitectureConfig
    training: TrainingConfig
    methods: Annotated[list[MethodConfig], Field(min_length=1)]
    rounds: PositiveInt
    steps: PositiveInt
