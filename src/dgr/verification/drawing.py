"""What is run again: all of a suite, one record of it, or a sample that a seed draws."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Literal

from dgr.config.plan_file import Plan, tunings
from dgr.core.errors import DGRError, nearest
from dgr.records.records import configured_measurements, configured_studies

Kind = Literal["run", "tuning", "sweep", "baselines", "study", "embedding"]


@dataclass(frozen=True)
class Unit:
    """The least that can be run again by itself.

    Attributes:
        kind: a seed of a run with its probes; one or two settings of a tuning with one seed; a seed at one point of a
            sweep; the baselines of a data set; a seed of a study; the points of two runs in the plane.
        key: in the plan.
        seed: None where there is none, or where all are meant.
        part: learning rates and strengths of a tuning; for a sweep, which value of each varied setting, counted from 0.
            Empty for all.
    """

    kind: Kind
    key: str
    seed: int | None = None
    part: tuple[Any, ...] = ()

    def __str__(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        part = f", {', '.join(map(str, self.part))}" if self.part else ""
        return f"{self.kind} {self.key}{seed}{part}"


def draw_units(plan: Plan, suite: str, size: int, seed: int) -> list[Unit]:
    """A sample: ``size`` seeds of runs (or of studies), a third as many tunings and sweep points, and one baseline.

    They are drawn one after the other; each time those come first that add most data sets, encoders, methods,
    regularizers and seeds to what is drawn already.
    """
    source = random.Random(f"{suite}/{seed}")
    third = math.ceil(size / 3)
    sizes: dict[Kind, int] = {"run": size, "tuning": third, "sweep": third, "baselines": min(size, 1), "study": size}
    return [
        unit
        for kind, number in sizes.items()
        for unit in _spread(list(units(plan, suite, kind)), number, source, lambda unit: _traits(plan, unit))
    ]


def everything(plan: Plan, suite: str) -> list[Unit]:
    """All that a suite has, whole tunings and sweeps among them."""
    kinds: tuple[Kind, ...] = ("run", "baselines", "study", "embedding")
    chosen = [unit for kind in kinds for unit in units(plan, suite, kind)]
    chosen += [Unit("tuning", key) for key, entry in tunings(plan).items() if entry["run"]["suite"] == suite]
    return chosen + [Unit("sweep", key) for key in configured_measurements(plan, "sweeps", suite)]


def of_record(plan: Plan, suite: str, key: str, seed: int | None) -> list[Unit]:
    """What stands behind one record of a page: a key's runs, sweep, study, baselines or embedding.

    Args:
        plan: of all suites.
        suite: whose page it is.
        key: in the plan.
        seed: one of its seeds; None for all.

    Raises:
        DGRError: the suite has no such record, or the record no such seed.
    """
    kinds: tuple[Kind, ...] = ("run", "sweep", "baselines", "study", "embedding")
    known = {kind: [*units(plan, suite, kind)] for kind in kinds}
    named = [unit for every in known.values() for unit in every if unit.key == key]
    if not named:
        keys = dict.fromkeys(unit.key for every in known.values() for unit in every)
        raise DGRError(f"Suite '{suite}' has no record '{key}' that can be run again{nearest(key, keys)}.")
    seeds = sorted({unit.seed for unit in named if unit.seed is not None})
    if seed is not None and seeds and seed not in seeds:
        raise DGRError(f"{key} has no seed {seed}; it has {', '.join(map(str, seeds))}.")
    return [unit for unit in named if seed is None or unit.seed in (None, seed)]


def units(plan: Plan, suite: str, kind: Kind) -> Iterator[Unit]:
    """Everything of one kind, in the order of the plan."""
    if kind == "run":
        for section in ("runs", "tuned_runs"):
            for key, entry in configured_measurements(plan, section, suite).items():
                yield from (Unit(kind, key, seed) for seed in entry["seeds"])
    elif kind == "tuning":
        for key, entry in tunings(plan).items():
            if entry["run"]["suite"] == suite:
                # Of the first seed, with which all were tried. A grid of strengths has two values at least.
                rates: list[tuple[float, ...]] = [(rate,) for rate in entry["learning_rates"] or []]
                strengths: list[tuple[float, ...]] = list(pairwise(entry["strengths"] or []))
                tried = product(rates or [()], strengths or [()])
                yield from (Unit(kind, key, entry["seeds"][0], part) for part in tried)
    elif kind == "sweep":
        for key, entry in configured_measurements(plan, "sweeps", suite).items():
            # By position, since a value may be a mapping.
            points = product(*(range(len(values)) for values in entry["vary"].values()))
            yield from (Unit(kind, key, seed, point) for point, seed in product(points, entry["run"]["seeds"]))
    elif kind == "study":
        for key, entry in configured_studies(plan, suite).items():
            yield from (Unit(kind, key, seed) for seed in entry["seeds"])
    elif kind == "embedding":
        yield from (Unit(kind, key) for key in configured_measurements(plan, "embeddings", suite))
    else:
        yield from (Unit(kind, key) for key in configured_measurements(plan, "baselines", suite))


def _traits(plan: Plan, unit: Unit) -> set[tuple[str, Any]]:
    """What a sample should have many of."""
    run = (plan["runs"] | plan["tuned_runs"]).get(unit.key)
    traits = {("key", unit.key), ("seed", unit.seed)}
    if run:
        traits |= {("dataset", run["dataset"])}
        traits |= {(part, run[part]["name"]) for part in ("architecture", "method", "regularizer")}
    return traits


def _spread(
    waiting: list[Unit], size: int, source: random.Random, traits: Callable[[Unit], set[tuple[str, Any]]]
) -> Iterator[Unit]:
    """Up to ``size`` of them, each time the first in a random order with most traits that are new."""
    source.shuffle(waiting)
    seen: set[tuple[str, Any]] = set()
    for _ in range(min(size, len(waiting))):
        best = max(waiting, key=lambda unit: len(traits(unit) - seen))
        waiting.remove(best)
        seen |= traits(best)
        yield best
