"""The records of a suite: four small CSV files, committed, from which every table and figure is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from dgr import paths
from dgr.config import nearest, read_yaml
from dgr.errors import DGRError
from dgr.files import write_text
from dgr.reporting.record_rows import (
    RUN_COLUMNS,
    TUNING_COLUMNS,
    history_rows,
    metric_rows,
    provenance_row,
    tuning_rows,
)
from dgr.reporting.run_folder import IDENTITY, SeedRecord, identity_of, read_run, read_tuning
from dgr.reporting.run_schema import Tuning

COLUMNS = {
    "runs": RUN_COLUMNS,
    "histories": [*IDENTITY, "epoch"],
    "tuning": TUNING_COLUMNS,
    "provenance": ["key", *IDENTITY, "strength"],
}
Read = TypeVar("Read")


@dataclass(frozen=True)
class Records:
    """The frames of ``results/SUITE``; nothing in them is averaged.

    Attributes:
        runs: ``suite, dataset, architecture, method, regularizer, seed, task, split, metric, value``. A task's primary
            metric also stands there at the epoch of the best validation mean, as ``METRIC_best_epoch``; the mean norm
            of the representation has the task ``representation`` and the metric ``mean_norm``.
        histories: the same identity, then one row an epoch, as in ``history.csv`` (without times).
        tuning: ``suite, key, method, regularizer, strength, seed, task, split, metric, value, chosen``.
        provenance: one row a run and seed; ``strength`` is the regularizer's, empty without one.
    """

    runs: pd.DataFrame
    histories: pd.DataFrame
    tuning: pd.DataFrame
    provenance: pd.DataFrame


def configured_runs(plan: dict[str, Any], suite: str) -> dict[str, Any]:
    """The suite's runs, fixed and tuned, by key, in the order of the configuration.

    Raises:
        DGRError: the plan has no run of this suite.
    """
    runs = {key: entry for key, entry in (plan["runs"] | plan["tuned_runs"]).items() if entry["suite"] == suite}
    if not runs:
        raise DGRError(f"Suite '{suite}' has no runs in {paths.PLAN}{nearest(suite, plan['suites'])}.")
    return runs


def collect_suite(suite: str) -> None:
    """:func:`collect` with the project's folders."""
    collect(suite, read_yaml(paths.PLAN), paths.RUNS, paths.TUNING, paths.RESULTS / suite)


def collect(suite: str, plan: dict[str, Any], runs_root: Path, tuning_root: Path, out_dir: Path) -> None:
    """Check every configured run of a suite and write its records.

    Only configured runs are looked at: what else lies in ``runs_root`` leaves no trace. Nothing is written unless
    everything is there. The files depend on the runs alone, byte for byte, except for the times in ``provenance.csv``.

    Args:
        suite: its name in the plan.
        plan: the parsed ``runs.yaml``.
        runs_root: one folder a run, by key.
        tuning_root: one JSON file a tuned run, by key.
        out_dir: receives ``runs.csv``, ``histories.csv``, ``tuning.csv`` and ``provenance.csv``.

    Raises:
        DGRError: runs or tuning records are missing, partial, damaged or of another configuration; says which, and
            the command that makes them.
    """
    entries = configured_runs(plan, suite)
    _check_unique(entries)
    tuned = [key for key in entries if key in plan["tuned_runs"]]
    tunings = _read_all(tuned, lambda key: read_tuning(key, plan["tuning"][key], tuning_root))
    runs = _read_all(entries, lambda key: read_run(key, entries[key], runs_root))
    _check_agreement(entries, runs, tunings)
    seeds = [
        (key, identity_of(entries[key], seed), record)
        for key, records in runs.items()
        for seed, record in zip(entries[key]["seeds"], records, strict=True)
    ]
    strengths = [row for key in tunings for row in tuning_rows(key, identity_of(entries[key], 0), tunings[key])]
    frames = {
        "runs": pd.DataFrame([row for _, identity, record in seeds for row in metric_rows(identity, record)]),
        "histories": pd.concat([history_rows(identity, record) for _, identity, record in seeds], ignore_index=True),
        "tuning": pd.DataFrame(strengths, columns=TUNING_COLUMNS),
        "provenance": pd.DataFrame([provenance_row(*seed) for seed in seeds]),
    }
    # pandas writes the shortest text that reads back as the same number.
    texts = {name: frame.to_csv(index=False, lineterminator="\n") for name, frame in frames.items()}
    for name, text in texts.items():
        write_text(out_dir / f"{name}.csv", text)


def load_records(results_dir: Path) -> Records:
    """Read the records of a suite.

    Args:
        results_dir: ``results/SUITE``.

    Raises:
        DGRError: a file is missing, not readable, or lacks columns.
    """
    remedy = f"make it with `python -m dgr collect {results_dir.name}`"
    frames = {}
    for field in fields(Records):
        path = results_dir / f"{field.name}.csv"
        try:
            # Only an empty cell is missing: names such as 'none' or 'null' stay what they are.
            frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
        except FileNotFoundError as error:
            raise DGRError(f"{path} is missing; {remedy}.") from error
        except (ValueError, OSError) as error:
            raise DGRError(f"{path} is not readable CSV ({error}); {remedy}.") from error
        if missing := set(COLUMNS[field.name]) - set(frame):
            raise DGRError(f"{path} lacks the columns {', '.join(sorted(missing))}; {remedy}.")
        frames[field.name] = frame
    return Records(**frames)


def _read_all(keys: Iterable[str], read: Callable[[str], Read]) -> dict[str, Read]:
    """Read all before complaining, so that one message names every hole."""
    found, problems = {}, {}
    for key in keys:
        try:
            found[key] = read(key)
        except DGRError as error:
            problems[key] = error
    if not problems:
        return found
    first = next(iter(problems.values()))
    if len(problems) == 1:
        raise first
    raise DGRError(f"{len(problems)} records cannot be used ({', '.join(problems)}); the first: {first}") from first


def _check_unique(entries: dict[str, Any]) -> None:
    cells = {key: tuple(identity_of(entry, 0).values()) for key, entry in entries.items()}
    if twice := [key for key, cell in cells.items() if Counter(cells.values())[cell] > 1]:
        raise DGRError(f"Runs {', '.join(twice)} would fill the same cell of a table; give them different suites.")


def _check_agreement(entries: dict[str, Any], runs: dict[str, list[SeedRecord]], tunings: dict[str, Tuning]) -> None:
    """Runs of one data set have the same tasks; each run has the strength that was configured or tuned."""
    tasks: dict[str, Any] = {}
    for key, records in runs.items():
        entry = entries[key]
        strength = tunings[key].chosen if key in tunings else entry["regularizer"].get("strength")
        for metrics in (record.metrics for record in records):
            if tasks.setdefault(entry["dataset"], metrics.tasks) != metrics.tasks:
                raise DGRError(
                    f"Run {key} has other tasks than the runs before it; repeat `python -m dgr train {key}`."
                )
            if metrics.strength != strength:
                raise DGRError(
                    f"Run {key} was trained with strength {metrics.strength}, not with the "
                    f"{'tuned' if key in tunings else 'configured'} {strength}; repeat `python -m dgr train {key}`."
                )
