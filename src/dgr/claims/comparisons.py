"""What decides a claim: the typed schema of the comparisons of ``paper_configs/claims.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from dgr.config.parsing import Strict
from dgr.config.runs import RELEASED
from dgr.core.errors import nearest
from dgr.core.registry import Listing
from dgr.records.names import KNOWN_CLASSIFIERS, KNOWN_METHODS, KNOWN_REGULARIZERS
from dgr.records.outcomes import Tasks

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[str], Field(min_length=1)]
Decided = Literal["supported", "opposite", "no relevant difference", "undecided", "assay failed"]
"""Verdicts of what was run."""
USUAL_LOSS = 0.02
"""Region of practical equivalence of losses, in nats."""
USUAL_REGIONS = {"delta_m": 0.5, "probe_accuracy": 0.005}
"""That of Δm in percent and of accuracies as shares; where nothing stands here, :data:`USUAL_LOSS`."""


def _known(entries: Listing, *others: str) -> AfterValidator:
    """For a name's annotation: there is a file of that name, or it is one of the others."""

    def check(name: str) -> str:
        if name not in (*entries, *others):
            raise ValueError(f"unknown {entries.what} '{name}'{nearest(name, (*entries, *others))}")
        return name

    return AfterValidator(check)


class Question(Strict):
    """What every comparison says."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")]
    """Unique, such as ``C2a``; letters and digits, since a hyphen sets apart the tests of one comparison."""
    question: Text
    """As the tables show it."""
    gate: Text | None = None
    """Id of a positive control: where that is not supported, this comparison's verdict is 'assay failed'."""


class Tested(Question):
    """What a comparison says that a test over seeds decides."""

    direction: Literal["higher", "lower", "none"]
    """Which way the claim goes; ``none`` where it says that there is no relevant difference."""
    region: PositiveFloat
    """Region of practical equivalence: a mean difference within ±region is too small to matter; recorded unit."""
    region_reason: Text | None = None
    """Why that large, where it is not the usual one."""


class Side(Strict):
    """One side of a comparison; without a method it takes each of the comparison's in turn."""

    regularizer: Annotated[str, _known(KNOWN_REGULARIZERS)]
    """Name of a file in ``src/dgr/regularizers``."""
    method: str | None = None
    """Its name."""


class PairedComparison(Tested):
    """A difference treatment − reference, paired by seed and tested.

    Each seed's value is a mean over tasks, and over ``methods`` and ``classifiers`` unless ``each`` makes comparisons
    of their own of these, each with its own test and verdict.
    """

    kind: Literal["paired"]
    measure: Literal["delta_m", "probe_accuracy", "refitted_loss", "label_area", "step_area", "tempered_loss"]
    """What is compared: Δm, the accuracy of probes, or a column of ``universality.csv``."""
    tasks: Tasks = "trained"
    """Those that were trained, or those that no head was trained on."""
    treatment: Side
    """The side that the claim is about."""
    reference: Side
    """The side that it is compared with."""
    methods: Names
    """Names of the methods that are averaged or tested."""
    classifiers: list[Annotated[str, _known(KNOWN_CLASSIFIERS)]] = []
    """Names of the probes' classifiers; for ``probe_accuracy`` only."""
    each: list[Literal["method", "classifier"]] = []
    """What is not averaged: each gets a test, a verdict and a row of its own."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if bool(self.classifiers) != (self.measure == "probe_accuracy"):
            raise ValueError("'classifiers' must be given for probe_accuracy, and only there")
        if self.measure == "delta_m" and self.tasks == "new":
            raise ValueError("delta_m is about trained tasks only")
        if self.region != (usual := USUAL_REGIONS.get(self.measure, USUAL_LOSS)) and self.region_reason is None:
            raise ValueError(
                f"region {self.region:g} is not {usual:g} as for all of {self.measure}; say why in 'region_reason'"
            )
        if self.treatment == self.reference:
            raise ValueError("treatment and reference are the same")
        for method in (*self.methods, self.treatment.method, self.reference.method):
            if method is not None and method not in KNOWN_METHODS:
                raise ValueError(f"unknown method '{method}'{nearest(method, KNOWN_METHODS)}")
        return self


class CostSide(Strict):
    """One row of a cost measurement, apart from the number of dummies."""

    method: str
    """Its name."""
    regularizer: Annotated[str, _known(KNOWN_REGULARIZERS, RELEASED)]
    """``authors`` is the procedure of the authors' code."""


class CostComparison(Question):
    """A ratio of seconds per step, treatment / reference, that must be ``at_most`` a bound.

    Both sides are timed one after another in many rounds, and the interval of the median of the ratios within a round
    decides: all of it at most the bound, or all of it above. It is decided on one architecture: what a step costs on
    another says nothing of this one.
    """

    kind: Literal["cost"]
    treatment: CostSide
    """The side whose time stands above the line."""
    reference: CostSide
    """The side whose time stands below it."""
    architecture: Text
    """Name of the architecture that decides it."""
    num_dummies: PositiveInt = 1
    """Sets of dummies, of both sides where they have any."""
    at_most: PositiveFloat
    """The largest ratio with which the claim holds."""


class StudyComparison(Tested):
    """A difference between two rows of a study, or a row and a fixed number, paired by seed and tested.

    Each seed's value is a mean over ``settings`` and ``levels``. Several references make comparisons of their own,
    each with its own test and verdict.
    """

    kind: Literal["study"]
    study: Text
    """Its key: suite and name, joined by a hyphen."""
    measure: Text
    """Its name in the study's records."""
    settings: Names
    """Names of the study's settings that are averaged."""
    levels: Annotated[list[float], Field(min_length=1)]
    """Levels of the study that are averaged."""
    treatment: Text
    """A method as the study names it."""
    references: list[str] = []
    """Methods as the study names them; each is a comparison of its own."""
    bound: float | None = None
    """In place of references: a number that the treatment is compared with, in the recorded unit."""
    from_level: float | None = None
    """The same at this level is taken off: alone, of the treatment; with references, of both sides (an interaction)."""
    statistic: Literal["mean", "median"] = "mean"
    """What is estimated: the mean (t-test), or the pseudo-median (signed-rank test) where seeds have heavy tails."""
    reader: dict[Decided, Text] = {}
    """What a reader of the paper should conclude, by verdict; one sentence for each, written before the runs."""

    @model_validator(mode="after")
    def _tells_of_every_verdict(self) -> Self:
        wanted = [verdict for verdict in get_args(Decided) if self.gate is not None or verdict != "assay failed"]
        if self.reader and (missing := [verdict for verdict in wanted if verdict not in self.reader]):
            raise ValueError(f"{self.id}: 'reader' has no sentence for the verdict {' and '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _has_one_reference(self) -> Self:
        compared = bool(self.references) or self.from_level is not None
        if compared == (self.bound is not None):
            raise ValueError("give either 'bound', or 'references', 'from_level' or both of these")
        return self


AnyComparison = PairedComparison | CostComparison | StudyComparison
