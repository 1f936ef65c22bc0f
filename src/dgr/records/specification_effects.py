"""What each specification of a curve says on each question: a paired difference of test accuracy, and its certainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from dgr.comparison import ALPHA, equivalence_p, paired_differences, student_interval
from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError
from dgr.records.scope import Scope
from dgr.records.specification_arms import Arm, arms, trainings

POINTS = 100.0
"""Effects are in points: percent of accuracy."""
EFFECT_LEVEL = 1 - ALPHA
Result = Literal["above region", "above zero", "equivalent", "undecided", "below zero", "below region", "diverged"]


class EffectQuestion(NamedTuple):
    """A comparison of two arms; the treatment is claimed to be better."""

    name: str
    text: str
    treatment: str
    reference: str


EFFECT_QUESTIONS = (
    EffectQuestion("dgr_alone", "DGR vs. alone", "dgr", "none"),
    EffectQuestion("released_alone", "DGR as released vs. alone", "dgr_released", "none"),
    EffectQuestion("dgr_norm", "DGR vs. ‖z‖² penalty", "dgr", "norm"),
    EffectQuestion("dgr_normalized", "DGR vs. z normalised", "dgr", "normalized"),
    EffectQuestion("norm_alone", "‖z‖² penalty vs. alone", "norm", "none"),
    EffectQuestion("normalized_alone", "z normalised vs. alone", "normalized", "none"),
)


@dataclass(frozen=True)
class Effect:
    """One question in one specification.

    Attributes:
        question: treatment and reference.
        key: of the specification in the plan.
        choices: its option of each choice.
        region: a mean difference within ± this is too small to matter, in points.
        differences: treatment minus reference by seed, in points of test accuracy (mean over tasks); empty where an arm
            diverged.
        sides: treatment and reference at the strengths that count; None where an arm diverged.
        diverged: names of arms that no strength is left of.
    """

    question: EffectQuestion
    key: str
    choices: dict[str, str]
    region: float
    differences: FloatArray
    sides: tuple[Arm, Arm] | None
    diverged: tuple[str, ...]

    @property
    def mean(self) -> float:
        """Mean over seeds; NaN where an arm diverged."""
        return float(self.differences.mean()) if len(self.differences) else math.nan

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The t-interval over seeds at :data:`EFFECT_LEVEL`; NaN where an arm diverged or all seeds are equal."""
        return student_interval(self.differences, EFFECT_LEVEL)

    @cached_property
    def is_equivalent(self) -> bool:
        """Whether two one-sided t-tests show that the mean lies within the region."""
        return bool(len(self.differences)) and equivalence_p(self.differences, self.region) < ALPHA

    @property
    def standard_error(self) -> float:
        """Of the mean, from the spread over seeds; NaN where there are not two."""
        n = len(self.differences)
        return float(self.differences.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan

    @property
    def result(self) -> Result:
        """Equivalence comes first, as for claims: what is shown to be small is small, also where it is not zero."""
        low, high = self.interval
        if self.sides is None:
            return "diverged"
        if self.is_equivalent:
            return "equivalent"
        if low > 0:
            return "above region" if low > self.region else "above zero"
        if high < 0:
            return "below region" if high < -self.region else "below zero"
        return "undecided"


def specification_effects(scope: Scope) -> dict[str, list[Effect]]:
    """The effects of every specification, in the order of the plan, by the name of the question.

    A question whose arms are not both configured is left out.

    Raises:
        DGRError: there are no specifications, no question can be asked of their arms, a specification has no sweep,
            or the records lack a training.
    """
    if not scope.specifications:
        raise DGRError(f"{scope.name} needs specifications; add a file of kind 'specifications' to a suite of its own.")
    found: dict[str, list[Effect]] = {}
    for key, specification in scope.specifications.items():
        for effect in effects_of(key, specification, trainings(scope.records.sweeps, scope.sweeps[key])):
            found.setdefault(effect.question.name, []).append(effect)
    if not found:
        raise DGRError(f"{scope.name} compares arms such as 'dgr' and 'none'; configure both in the specifications.")
    return found


def effects_of(key: str, specification: dict[str, Any], trained: pd.DataFrame) -> list[Effect]:
    """The effects of one specification: one for each question whose arms are both configured.

    Args:
        key: of the specification in the plan.
        specification: its entry.
        trained: :func:`dgr.records.specification_arms.trainings`.
    """
    configured, usable = set(trained["regularizer"]), arms(trained)
    effects = []
    for question in EFFECT_QUESTIONS:
        names = (question.treatment, question.reference)
        if set(names) <= configured:
            diverged = tuple(name for name in names if name not in usable)
            sides = None if diverged else (usable[names[0]], usable[names[1]])
            differences = POINTS * paired_differences(sides[0].test, sides[1].test) if sides else np.empty(0)
            place = (question, key, specification["choices"], POINTS * specification["region"])
            effects.append(Effect(*place, differences, sides, diverged))
    return effects
