"""A learning rate of each method's own, chosen inside a study on seeds that are not reported."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, NamedTuple, Self

from pydantic import Discriminator, Field, PositiveFloat, Tag, model_validator

from dgr.config.parsing import Strict
from dgr.config.runs import Seeds
from dgr.core.errors import DGRError

EXTENSIONS = 2
"""How often a grid is extended beyond an edge that was best."""


class RateGrid(Strict):
    """In place of one learning rate: each method's is the best of a grid, on the mean over tuning seeds."""

    grid: Annotated[list[PositiveFloat], Field(min_length=2)]
    """Rising. An edge that is best is extended by the ratio of the last two rates, twice at most."""
    seeds: Seeds
    """Not among those that are reported."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if sorted(set(self.grid)) != self.grid:
            raise ValueError(f"the learning rates must rise, but are {', '.join(f'{rate:g}' for rate in self.grid)}")
        return self


def _which(value: object) -> str:
    return "grid" if isinstance(value, dict | RateGrid) else "rate"


RateOrGrid = Annotated[Annotated[PositiveFloat, Tag("rate")] | Annotated[RateGrid, Tag("grid")], Discriminator(_which)]
"""One learning rate for all methods, or a grid from which each gets its own."""


class Trial(NamedTuple):
    """What one rate gave; ``value`` is −1 where training diverged, and otherwise in [0, 1]."""

    method: str
    rate: float
    seed: int
    value: float


Score = Callable[[str, float, int], float]
"""Of a method's row name, a rate and a tuning seed; higher is better."""


def tuning_trials(wanted: RateGrid, methods: list[str], score: Score) -> Iterator[Trial]:
    """Every trial, method by method: those of the grid, then those beyond an edge that is best."""
    for method in methods:
        trials: list[Trial] = []
        for rate in wanted.grid:
            trials += _trials(wanted, method, rate, score)
        for _ in range(EXTENSIONS):
            rates = sorted({trial.rate for trial in trials})
            best = chosen_rates(trials)[method]
            if best == rates[-1]:
                trials += _trials(wanted, method, _short(best * rates[-1] / rates[-2]), score)
            elif best == rates[0]:
                trials += _trials(wanted, method, _short(best * rates[0] / rates[1]), score)
            else:
                break
        yield from trials


def chosen_rates(trials: list[Trial]) -> dict[str, float]:
    """Of each method the rate with the highest mean value; the lower one of equals.

    Raises:
        DGRError: no rate of a method gave a result.
    """
    found: dict[str, dict[float, list[float]]] = {}
    for trial in trials:
        found.setdefault(trial.method, {}).setdefault(trial.rate, []).append(trial.value)
    means = {
        method: {rate: sum(values) / len(values) for rate, values in sorted(rates.items())}
        for method, rates in found.items()
    }
    for method, rates in means.items():
        if max(rates.values()) < 0:
            raise DGRError(f"Method '{method}' diverges with every learning rate of its grid; add lower ones.")
    return {method: max(rates, key=lambda rate, rates=rates: rates[rate]) for method, rates in means.items()}  # type: ignore[misc]


def rate_of(learning_rate: float | RateGrid, chosen: Mapping[str, float], method: str) -> float:
    """The rate that a method trains with.

    Raises:
        DGRError: it is to be chosen and was not.
    """
    if not isinstance(learning_rate, RateGrid):
        return learning_rate
    if method not in chosen:
        raise DGRError(f"No learning rate was chosen for '{method}'; run the study's stage, which tunes first.")
    return chosen[method]


def _trials(wanted: RateGrid, method: str, rate: float, score: Score) -> list[Trial]:
    values = [(seed, score(method, rate, seed)) for seed in wanted.seeds]
    return [Trial(method, rate, seed, value if math.isfinite(value) else -1.0) for seed, value in values]


def _short(rate: float) -> float:
    """Three digits: a rate is to be written down."""
    return float(f"{rate:.3g}")
