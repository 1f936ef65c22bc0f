"""Folders in which units are run again: a plan that says just that much, and what its commands read."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dgr.config.plan_file import Plan
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.core.files import write_json
from dgr.verification.drawing import Unit

Arguments = tuple[str, ...]


@dataclass
class Place:
    """A folder like a checkout.

    Attributes:
        folder: where it is.
        plan: what is run in it.
        phases: commands by phase; those of one phase do not wait for each other.
    """

    folder: Path
    plan: Plan
    phases: list[list[Arguments]] = field(default_factory=lambda: [[], [], []])


def make_places(plan: Plan, suite: str, units: list[Unit], scratch: Path, device: str) -> list[Place]:
    """One place for all runs, baselines and studies, and one for each tuning and each point of a sweep.

    Args:
        plan: of all suites.
        suite: whose units they are.
        units: what is run again.
        scratch: where the places are made, beside ``data``.
        device: ``cpu``, or ``auto`` for runs that were not trained on a CPU.
    """
    alone = [unit for unit in units if unit.kind in ("tuning", "sweep")]
    together = [unit for unit in units if unit not in alone]
    places = [_of_runs(plan, suite, together, scratch / "runs-again", device)] if together else []
    for number, unit in enumerate(alone):
        places.append(_alone(plan, unit, scratch / f"{unit.kind}-{number}", device))
    for place in places:
        (place.folder / paths.CONFIGS).mkdir(parents=True)
        (place.folder / paths.DATA).symlink_to((scratch / paths.DATA).resolve())
        if place.plan["real_studies"]:  # which read what was fetched here
            (place.folder / paths.SOURCES).symlink_to(paths.SOURCES.resolve())
        write_json(place.folder / paths.PLAN, place.plan)
        matched = [entry["matched"] for entry in place.plan["matching"].values()]
        for key in (*place.plan["tuned_runs"], *matched):
            _copy(paths.tuning_file(suite, key), place.folder)
    return places


def datasets_of(plan: Plan) -> set[str]:
    """The data sets that a place's commands read."""
    entries = [entry for name in ("runs", "tuned_runs", "baselines") for entry in plan[name].values()]
    entries += [entry["run"] for name in ("tuning", "matching", "sweeps") for entry in plan[name].values()]
    return {entry["dataset"] for entry in entries}


def _blank(plan: Plan) -> Plan:
    """Only the data sets: what the plan says of them does not change what is trained."""
    shared = ("sources", "datasets", "fetched_datasets", "local_datasets")
    return {name: copy.deepcopy(entries) if name in shared else {} for name, entries in plan.items()}


def _of_runs(plan: Plan, suite: str, units: list[Unit], folder: Path, device: str) -> Place:
    place = Place(folder, _blank(plan))
    seeds: dict[str, set[int]] = {}
    probed = {unit.key for unit in units if unit.kind == "run"} & set(plan["probes"])
    for unit in units:
        if unit.kind == "run":
            seeds.setdefault(unit.key, set()).add(unit.seed or 0)
        elif unit.kind == "embedding":
            entry = place.plan["embeddings"][unit.key] = plan["embeddings"][unit.key]
            for run in (entry["plain"], entry["regularized"]):
                seeds.setdefault(run, set()).add(entry["seed"])
            place.phases[2].append(("embed", unit.key))
        elif unit.kind == "baselines":
            place.plan["baselines"][unit.key] = plan["baselines"][unit.key]
            place.phases[0].append(("baselines", unit.key))
        else:
            section = "studies" if unit.key in plan["studies"] else "real_studies"
            narrowed = _with_seeds(plan[section][unit.key], {unit.seed or 0}, place.plan[section].get(unit.key))
            place.plan[section][unit.key] = narrowed
    place.phases[0] += [("study", key) for key in place.plan["studies"]]
    place.phases[0] += [("real-study", key) for key in place.plan["real_studies"]]
    for key, chosen in seeds.items():
        section = "runs" if key in plan["runs"] else "tuned_runs"
        if key in probed:
            # Classifiers' settings are selected on the run's first seed.
            chosen.add(plan[section][key]["seeds"][0])
            place.plan["probes"][key] = _with_seeds(plan["probes"][key], chosen)
            place.phases[1].append(("probe", key))
        place.plan[section][key] = _with_seeds(plan[section][key], chosen)
        place.phases[0].append(("train", key, "--device", device))
    return place


def _with_seeds(entry: dict[str, Any], seeds: set[int], known: dict[str, Any] | None = None) -> dict[str, Any]:
    """An entry of the plan with some of its seeds, in its order; and those that another has of it."""
    wanted = seeds | set(known["seeds"] if known else ())
    return entry | {"seeds": [seed for seed in entry["seeds"] if seed in wanted]}


def _alone(plan: Plan, unit: Unit, folder: Path, device: str) -> Place:
    place = Place(folder, _blank(plan))
    section = next(name for name in ("tuning", "matching", "sweeps") if unit.key in plan[name])
    entry = copy.deepcopy(plan[section][unit.key])
    if unit.part and unit.kind == "tuning":
        rates, strengths = (list(values) or None for values in unit.part)
        entry |= {"learning_rates": rates, "strengths": strengths, "finalists": None, "extensions": 0}
        entry["seeds"] = entry["run"]["seeds"] = [unit.seed]
    elif unit.part:
        chosen = zip(entry["vary"].items(), unit.part, strict=True)
        entry["vary"] = {path: [values[position]] for (path, values), position in chosen}
        entry["run"]["seeds"] = [unit.seed]
    place.plan[section][unit.key] = entry
    if unit.key in plan["specifications"]:  # where a training may diverge
        place.plan["specifications"][unit.key] = plan["specifications"][unit.key]
    place.phases[0].append(("tune" if unit.kind == "tuning" else "sweep", unit.key, "--device", device))
    return place


def _copy(path: Path, folder: Path) -> None:
    """A committed file into a place: runs are trained with the committed choice."""
    if not path.is_file():
        raise DGRError(f"{path} is missing; restore it with `git checkout`.")
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder / path)
