"""Blocks of ``paper_configs`` that say how something is trained and examined, apart from encoders and regularizers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from dgr.config.parsing import Strict
from dgr.config.regularizers import Strength

Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")
RELEASED = "authors"
"""What costs and their claims name in place of a regularizer: DGR by the procedure of the authors' code."""


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
    """Of model and method."""
    learning_rate: PositiveFloat
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Of all weights of the model."""
    schedule: Literal["constant", "cosine", "step"] = "cosine"
    """Of the learning rate; ``step`` halves it after each third of the epochs."""
    augmentation: AugmentationConfig | None = None
    """Random changes of each training sample."""
    snapshot_epochs: list[Annotated[int, Field(ge=0)]] = []
    """After which epochs the representation is kept as well; 0 is the untrained encoder."""


class MethodConfig(Strict):
    """A registered method and its options."""

    name: str
    """A method of docs/methods.md."""
    options: dict[str, float | int | bool | str] = {}
    """Of the method, by name."""


class TuningRule(Strict):
    """How the strength of a regularizer is chosen.

    ``best_mean_validation``: the strength with the highest mean over seeds of the mean over tasks of the relative
    improvement of the validation metric, last epoch, over the smallest strength of the grid; ties go to the smaller.
    """

    rule: Literal["best_mean_validation"]
    """What the choice is made by."""
    grid: Annotated[list[Strength], Field(min_length=2)]
    """The strengths that are tried."""
    seeds: Seeds


class ProbeConfig(Strict):
    """How a frozen representation is examined."""

    train_samples: PositiveInt
    """Labelled training representations each classifier sees; refitted heads see all."""
    draws: PositiveInt
    """Untrained heads drawn for each task to measure universality."""


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
