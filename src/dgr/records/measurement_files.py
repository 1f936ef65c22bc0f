"""Reading what was measured beside the runs: probes, baselines, sweeps and costs; as strict as for runs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dgr.config.sweeps import combinations
from dgr.core.errors import DGRError
from dgr.core.paths import output_path
from dgr.records.file_schemas import Baselines, Costs, Probes, Sweep
from dgr.records.rows import DIVERGED, REPRESENTATION, settings_text
from dgr.records.run_folders import read_record


def read_probes(key: str, entry: dict[str, Any], root: Path) -> Probes:
    """Read and check the probes of one run.

    Args:
        key: the run's key.
        entry: its entry in the plan's ``probes``.
        root: the repository's top folder.

    Raises:
        DGRError: what is wrong with the file, and how to make it again.
    """
    path, remedy = _file(root, entry["suite"], key, "probe")
    probes = read_record(path, Probes, remedy)
    _check_made_for(path, probes.key == key and probes.config == entry, remedy)
    for given in sorted({row.given for row in probes.rows} | {REPRESENTATION}):
        rows = [row for row in probes.rows if row.given == given]
        axes = [{row.task for row in rows}, {row.classifier for row in rows}]
        found = [(row.seed, row.task, row.classifier) for row in rows]
        _check_complete(path, found, itertools.product(entry["seeds"], *axes), f"accuracies of '{given}'", remedy)
    for epoch in sorted({row.epoch for row in probes.universality}) or [0]:
        measured = [(row.seed, epoch, row.task) for row in probes.universality if row.epoch == epoch]
        wanted = itertools.product(entry["seeds"], [epoch], {task for _, _, task in measured})
        _check_complete(path, measured, wanted, "measurements of universality", remedy)
    return probes


def read_baselines(key: str, entry: dict[str, Any], root: Path) -> Baselines:
    """Read and check what classifiers reach without an encoder; arguments and errors as for :func:`read_probes`."""
    path, remedy = _file(root, entry["suite"], key, "baselines")
    baselines = read_record(path, Baselines, remedy)
    _check_made_for(path, baselines.key == key and baselines.config == entry, remedy)
    for given in ("majority", "pixels"):
        rows = [row for row in baselines.rows if row.given == given]
        wanted = itertools.product({row.task for row in rows}, {row.classifier for row in rows})
        _check_complete(path, [(row.task, row.classifier) for row in rows], wanted, f"values of '{given}'", remedy)
    return baselines


def read_sweep(key: str, entry: dict[str, Any], root: Path) -> Sweep:
    """Read and check one sweep; arguments and errors as for :func:`read_probes`."""
    path, remedy = _file(root, entry["suite"], key, "sweep")
    sweep = read_record(path, Sweep, remedy)
    _check_made_for(path, sweep.key == key and sweep.name == entry["name"], remedy)
    points = [settings_text(settings) for settings, _ in combinations(entry["run"], entry["vary"])]
    found = [(settings_text(row.settings), row.seed, (row.split, row.task, row.metric)) for row in sweep.rows]
    diverged = {item for item in found if item[2][2] == DIVERGED}
    stopped = {item[:2] for item in diverged}
    quantities = {item[2] for item in found} - {item[2] for item in diverged}
    trained = [pair for pair in itertools.product(points, entry["run"]["seeds"]) if pair not in stopped]
    asked = set(itertools.product(points, entry["run"]["seeds"]))
    # What diverged was asked for where its point is; nothing else may stand beside it.
    wanted = {(*pair, quantity) for pair in trained for quantity in quantities}
    wanted |= {item for item in diverged if item[:2] in asked}
    _check_complete(path, found, wanted, "values", remedy)
    return sweep


def read_costs(key: str, entry: dict[str, Any], root: Path) -> Costs:
    """Read and check one measurement of costs; arguments and errors as for :func:`read_probes`."""
    path, remedy = _file(root, entry["suite"], key, "cost")
    costs = read_record(path, Costs, remedy)
    _check_made_for(path, costs.key == key, remedy)
    plain = [(row.method,) for row in costs.rows if row.regularizer == "none"]
    _check_complete(path, plain, [(method["name"],) for method in entry["methods"]], "methods", remedy)
    _check_made_for(path, all(len(row.seconds) == entry["rounds"] for row in costs.rows), remedy)
    return costs


def _file(root: Path, suite: str, key: str, command: str) -> tuple[Path, str]:
    remedy = f"make it with `python -m dgr {command} {key}`, or all that is missing with `snakemake --cores all`"
    return root / output_path(suite, command, f"{key}.json"), remedy


def _check_made_for(path: Path, fits: bool, remedy: str) -> None:
    if not fits:
        raise DGRError(f"{path} was made for another key or other settings than configured; {remedy}.")


def _check_complete(
    path: Path, found: list[tuple[Any, ...]], wanted: Iterable[tuple[Any, ...]], what: str, remedy: str
) -> None:
    """Each wanted thing exactly once, and at least one."""
    counts, expected = Counter(found), set(wanted)
    if missing := expected - set(counts):
        raise DGRError(f"{path} lacks {len(missing)} {what}, the first for {_first(missing)}; {remedy}.")
    if not counts:
        raise DGRError(f"{path} holds no {what}; {remedy}.")
    if surplus := [item for item, count in counts.items() if count > 1 or item not in expected]:
        raise DGRError(f"{path} holds twice, or without being asked, {what} for {_first(surplus)}; {remedy}.")


def _first(items: Iterable[tuple[Any, ...]]) -> str:
    return min(", ".join(map(str, item)) for item in items)
