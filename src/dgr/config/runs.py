"""Blocks of ``paper_configs`` that say how something is trained and examined, apart from encoders and regularizers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from dgr.config.parsing import Strict
from dgr.config.regularizers import Strength
from dgr.core.errors import DGRError

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


class FlatRule(Strict):
    """When a run counts as trained out: its validation metrics, averaged over tasks, are flat at the end.

    That is where the mean over the last ``epochs`` differs from the mean over as many epochs before them by at most
    ``points`` percent.
    """

    epochs: PositiveInt
    """How many epochs at the end."""
    points: PositiveFloat
    """Relative change, in percent."""


class TrainingConfig(Strict):
    """Optimisation of one run."""

    epochs: PositiveInt
    batch_size: PositiveInt
    optimizer: Literal["adam", "sgd"] = "adam"
    """Adam, or gradient descent with momentum."""
    learning_rate: PositiveFloat | Literal["tuned"]
    """Step size of the optimizer, at the start where a schedule lowers it; ``tuned``: chosen on validation."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """The optimizer's coefficient."""
    schedule: Literal["constant", "cosine", "step"] = "cosine"
    """``step``: half the rate after each third of the epochs."""
    trained_out: FlatRule | None = None
    """What says whether a run was trained for long enough; tables count the runs that were not."""
    augmentation: AugmentationConfig | None = None
    """Without it there is none."""
    snapshot_epochs: list[Annotated[int, Field(ge=0)]] = []
    """After which epochs the representation is kept as well; 0 is the untrained encoder."""

    @property
    def chosen_rate(self) -> float:
        """The learning rate as a number.

        Raises:
            DGRError: it is left to tuning.
        """
        if self.learning_rate == "tuned":
            raise DGRError("The learning rate is not chosen yet; give a number, or tune it first.")
        return self.learning_rate


class MethodConfig(Strict):
    """A registered method and its options."""

    name: str
    """Of a file in ``src/dgr/methods``."""
    options: dict[str, float | int | bool | str] = {}
    """The method's own, see ``docs/methods.md``."""


class TuningRule(Strict):
    """How learning rate and strength of a run are chosen together, on the validation split.

    ``best_mean_validation``: every pair is trained with the first seed, the ``finalists`` best of these with all seeds.
    Chosen is the highest mean over seeds of the mean over tasks of the validation metric at the last epoch, as relative
    improvement over the first pair that did not diverge; ties go to the earlier. While the choice lies at an end of a
    grid, the next value there is tried with all seeds, at most ``extensions`` times an end.

    ``matched_norm``: the strength with which the mean ‖z‖ on validation data is that of the regularizer ``matches``, at
    the learning rate that was chosen for it. It is interpolated between the grid's strengths, which are all trained
    with all seeds, linearly in the logarithms of both.
    """

    rule: Literal["best_mean_validation", "matched_norm"] = "best_mean_validation"
    """One of the two."""
    learning_rates: Annotated[list[PositiveFloat], Field(min_length=1)] | None = None
    """Those that are tried, rising; exactly where the learning rate is ``tuned``, but not with ``matched_norm``."""
    strengths: Annotated[list[Strength], Field(min_length=2)] | None = None
    """Those that are tried, rising; exactly where the strength is ``tuned``."""
    seeds: Seeds
    """None of them may be among the reported ones."""
    finalists: PositiveInt | None = None
    """How many pairs are trained with all seeds; without it, all."""
    extensions: Annotated[int, Field(ge=0)] = 0
    """How often a grid is extended at each end where the choice lies there."""
    matches: str | None = None
    """The regularizer whose ‖z‖ is matched, tuned for the same method; exactly with ``matched_norm``."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for name, values in (("learning_rates", self.learning_rates), ("strengths", self.strengths)):
            if values is not None and values != sorted(set(values)):
                raise ValueError(f"the {name} of tuning must rise, but are {values}")
        matched = self.rule == "matched_norm"
        if matched != (self.matches is not None):
            raise ValueError("'matches' names a regularizer exactly with the rule matched_norm")
        if matched and (self.learning_rates or not self.strengths):
            raise ValueError("matched_norm takes strengths, and the learning rate of what it matches")
        if not (self.learning_rates or self.strengths):
            raise ValueError("tuning needs learning_rates, strengths or both")
        return self


class ProbeConfig(Strict):
    """How a frozen representation is examined."""

    train_samples: PositiveInt
    """Labelled training representations each classifier sees."""
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
