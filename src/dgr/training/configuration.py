"""What is trained: one run, the tuning of its regularizer, and a sweep over its settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from dgr.config.parsing import Strict, parse
from dgr.config.regularizers import StrengthRegularizer
from dgr.config.runs import MethodConfig, Seeds, TrainingConfig, TuningRule
from dgr.config.sweeps import combinations
from dgr.core.errors import DGRError
from dgr.models.registry import AnyArchitecture
from dgr.regularizers.registry import AnyRegularizer

ANY_RATE, ANY_STRENGTH = 1e-3, 0.1
"""Numbers that every run and every regularizer takes."""


class RunConfig(Strict):
    """One cell of a table: a method with a regularizer on a data set, for a list of seeds."""

    suite: str
    dataset: str
    architecture: AnyArchitecture
    method: MethodConfig
    regularizer: AnyRegularizer
    seeds: Seeds
    training: TrainingConfig
    keeps_representations: bool = False
    """Whether a measurement of the plan reads its representations."""

    @property
    def experiment(self) -> str:
        """Names the random streams: what methods that are compared have in common."""
        return f"{self.dataset}/{self.architecture.name}"

    @property
    def key(self) -> str:
        """The stable run id, also the folder name below ``runs``."""
        parts = (self.suite, self.dataset, self.architecture.name, self.method.name, self.regularizer.name)
        return "-".join(parts)

    @property
    def is_tuned(self) -> bool:
        """Whether the learning rate or the regularizer's strength is left to tuning."""
        return self.training.learning_rate == "tuned" or getattr(self.regularizer, "strength", None) == "tuned"

    @property
    def strength(self) -> float | None:
        """The regularizer's strength; None where it has none.

        Raises:
            DGRError: it is left to tuning.
        """
        return self.regularizer.chosen_strength if isinstance(self.regularizer, StrengthRegularizer) else None

    def resolved(self, learning_rate: float, strength: float | None) -> RunConfig:
        """The same run with numbers for what was left to tuning: what is trained.

        Args:
            learning_rate: its learning rate.
            strength: of its regularizer; None where that has none.

        Raises:
            DGRError: the regularizer has no such strength.
        """
        data = self.model_dump()
        data["training"]["learning_rate"] = learning_rate
        if strength is not None:
            data["regularizer"]["strength"] = strength
        return parse(RunConfig, data, self.key)

    def with_any_setting(self) -> RunConfig:
        """The same run with some numbers for what was left to tuning: time and memory do not depend on them."""
        if not self.is_tuned:
            return self
        has_strength = isinstance(self.regularizer, StrengthRegularizer)
        return self.resolved(ANY_RATE, ANY_STRENGTH if has_strength else None)


class TuningConfig(TuningRule):
    """A tuning stage: the rule and the run that it chooses for (without its reported seeds)."""

    run: RunConfig
    matched: str | None = None
    """Key of the run whose ‖z‖ is matched."""

    @property
    def settings(self) -> int:
        """How many pairs of learning rate and strength are tried before any grid is extended."""
        return max(1, len(self.rates())) * len(self.strengths or [None])

    @property
    def trainings(self) -> int:
        """How many trainings that takes."""
        finalists = self.settings if self.finalists is None else min(self.finalists, self.settings)
        return self.settings + finalists * (len(self.seeds) - 1)

    def rates(self) -> list[float]:
        """The learning rates that are tried; none where it is that of what is matched."""
        if self.learning_rates:
            return list(self.learning_rates)
        return [] if self.run.training.learning_rate == "tuned" else [self.run.training.chosen_rate]


class SweepConfig(Strict):
    """One run whose settings are varied, every combination for every seed of the run.

    ``vary`` maps a setting's path, such as ``regularizer.strength``, to the values it takes.
    """

    suite: str
    name: str
    run: RunConfig
    vary: Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]

    def points(self) -> list[tuple[dict[str, Any], RunConfig]]:
        """The varied settings of each combination, and its whole configuration.

        Raises:
            DGRError: a path or a value does not fit a run's schema, or the method or the encoder is varied.
        """
        points = [
            (settings, parse(RunConfig, data, f"sweep '{self.name}' at {settings}"))
            for settings, data in combinations(self.run.model_dump(mode="json"), self.vary)
        ]
        for what, own, names in (
            ("method", self.run.method, {run.method.name for _, run in points}),
            ("encoder", self.run.architecture, {run.architecture.name for _, run in points}),
        ):
            if names != {own.name}:
                raise DGRError(
                    f"Sweep '{self.name}' varies its {what}, but the pipeline knows what one {what} depends on; "
                    f"give each {what} a sweep of its own."
                )
        return points
