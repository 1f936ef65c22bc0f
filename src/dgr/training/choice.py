"""How tuning chooses: which pairs of learning rate and strength are tried, which is taken, and what lies beyond.

Nothing here trains: a function is asked for the outcome of a pair and a seed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dgr.core.errors import DGRError
from dgr.core.improvement import mean_relative_improvement
from dgr.training.configuration import TuningConfig

Validated = dict[str, Any]
"""``val``: metrics by task on the validation split, or None where training diverged; ``mean_norm``: mean ‖z‖ there."""
DIGITS = 4
"""Significant digits of a strength that was interpolated."""


class Setting(NamedTuple):
    """What is chosen: a learning rate, and a strength where the regularizer has one."""

    learning_rate: float
    strength: float | None


class Tried:
    """All outcomes so far, by setting and seed, in the order in which they were asked for.

    Args:
        outcome: trains a setting with a seed, or remembers it.
    """

    def __init__(self, outcome: Callable[[Setting, int], Validated]) -> None:
        self._outcome = outcome
        self.rows: dict[tuple[Setting, int], Validated] = {}

    def add(self, settings: Iterable[Setting], seeds: Iterable[int]) -> None:
        """Train what is not there yet."""
        for setting, seed in itertools.product(settings, list(seeds)):
            if (setting, seed) not in self.rows:
                self.rows[setting, seed] = self._outcome(setting, seed)

    def of(self, seeds: Sequence[int]) -> dict[Setting, list[Validated]]:
        """The outcomes of every setting that has all these seeds, and diverged with none."""
        settings = dict.fromkeys(setting for setting, _ in self.rows)
        complete = {s: [self.rows[s, seed] for seed in seeds if (s, seed) in self.rows] for s in settings}
        return {s: rows for s, rows in complete.items() if len(rows) == len(seeds) and all(r["val"] for r in rows)}


def ranked(
    tried: Mapping[Setting, Sequence[Validated]], metrics: Mapping[str, str], directions: Mapping[str, bool]
) -> list[Setting]:
    """Settings from best to worst by the rule ``best_mean_validation``; the earlier first where they are equal.

    Args:
        tried: outcomes, one a seed.
        metrics: each task's primary metric.
        directions: whether more of it is better.

    Raises:
        DGRError: there are none, or no setting has metrics that others can be relative to.
    """
    if not tried:
        raise DGRError("Training diverged with every setting that was tried; lower the learning rates.")
    means = {
        setting: {task: sum(row["val"][task][metric] for row in rows) / len(rows) for task, metric in metrics.items()}
        for setting, rows in tried.items()
    }
    reference = next((mean for mean in means.values() if all(mean.values())), None)
    if reference is None:
        first = next(iter(means.values()))
        task = next(task for task, value in first.items() if value == 0)
        raise DGRError(
            f"Tuning compares settings relative to the first, but the metric '{metrics[task]}' of task '{task}' "
            "is exactly 0 there; train for more epochs, or on more data. Trained settings are kept."
        )
    scores = {setting: mean_relative_improvement(mean, reference, directions) for setting, mean in means.items()}
    return sorted(scores, key=lambda setting: -scores[setting])


def choose_best(
    config: TuningConfig, tried: Tried, metrics: Mapping[str, str], directions: Mapping[str, bool]
) -> Setting:
    """Try what the rule ``best_mean_validation`` asks for, and take the best.

    Raises:
        DGRError: as :func:`ranked`.
    """
    rates, strengths = config.rates(), _strengths(config)
    grid = [Setting(rate, strength) for rate, strength in itertools.product(rates, strengths)]
    tried.add(grid, config.seeds[:1])
    finalists = ranked(tried.of(config.seeds[:1]), metrics, directions)[: config.finalists]
    tried.add(finalists, config.seeds)
    left = dict.fromkeys([(axis, end) for axis in (0, 1) for end in (0, -1)], config.extensions)
    axes: list[list[Any]] = [list(rates), list(strengths)]
    while True:
        best = ranked(tried.of(config.seeds), metrics, directions)[0]
        ends = [_beyond(config, best, axes, *place) for place in left if left[place]]
        beyond = next(filter(None, ends), None)
        if beyond is None:
            return best
        setting, axis, end = beyond
        left[axis, end] -= 1
        axes[axis].insert(0 if end == 0 else len(axes[axis]), setting[axis])
        tried.add([setting], config.seeds)


def _strengths(config: TuningConfig) -> list[float | None]:
    return [*config.strengths] if config.strengths else [config.run.strength]


def _beyond(
    config: TuningConfig, best: Setting, axes: list[list[Any]], axis: int, end: int
) -> tuple[Setting, int, int] | None:
    """The setting beyond an end of a grid, as far as the last two values are apart; None where there is none."""
    values = axes[axis]
    if len(values) < 2 or best[axis] != values[end] or (value := _next(values, end)) is None:
        return None
    setting = best._replace(**{Setting._fields[axis]: value})
    try:
        config.run.resolved(*setting)
    except DGRError:  # no such strength, as of a probability above 1
        return None
    return setting, axis, end


def _next(values: Sequence[float], end: int) -> float | None:
    """The value beyond an end of a rising grid, by the ratio of the last two there; None where one of these is 0."""
    last, before = (values[0], values[1]) if end == 0 else (values[-1], values[-2])
    return float(f"{last**2 / before:.{DIGITS}g}") if last and before else None


def choose_matched(config: TuningConfig, tried: Tried, rate: float, norm: float) -> tuple[Setting, float]:
    """The strength with which the mean ‖z‖ is a given one, by the rule ``matched_norm``.

    Args:
        config: the rule.
        tried: takes the trainings.
        rate: the learning rate.
        norm: the wanted ‖z‖, greater than 0.

    Returns:
        The setting, and the ‖z‖ that it is expected to have: not the wanted one where no tried strength goes so far.

    Raises:
        DGRError: fewer than two strengths trained to a representation that is not zero.
    """
    strengths = list(config.strengths or [])
    tried.add([Setting(rate, strength) for strength in strengths], config.seeds)
    for _ in range(config.extensions):
        known = _norms(tried.of(config.seeds))
        if not known or min(known.values()) <= norm <= max(known.values()):
            break
        end = 0 if norm > max(known.values()) else -1  # ‖z‖ falls as the strength rises
        if (beyond := _next(strengths, end)) is None:
            break
        strengths.insert(0 if end == 0 else len(strengths), beyond)
        tried.add([Setting(rate, strength) for strength in strengths], config.seeds)
    known = _norms(tried.of(config.seeds))
    if len(known) < 2:
        raise DGRError(
            f"{config.run.key}: fewer than two strengths left a representation that is not zero, so that none can be "
            "matched; choose smaller strengths."
        )
    by_norm = sorted((math.log(value), math.log(strength)) for strength, value in known.items())
    logs = [value for value, _ in by_norm]
    reached = min(max(math.log(norm), logs[0]), logs[-1])
    strength = math.exp(np.interp(reached, logs, [value for _, value in by_norm]))
    return Setting(rate, float(f"{strength:.{DIGITS}g}")), math.exp(reached)


def _norms(tried: Mapping[Setting, Sequence[Validated]]) -> dict[float, float]:
    """Mean ‖z‖ over seeds by strength; where it is 0, nothing can be interpolated."""
    means = {s.strength: sum(row["mean_norm"] for row in rows) / len(rows) for s, rows in tried.items()}
    return {strength: norm for strength, norm in means.items() if strength and norm > 0}
