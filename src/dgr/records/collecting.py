"""From all that the stages of a suite left behind to the suite's records, or to one sentence on what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from dgr.config.plan_file import read_plan, tunings
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.records import rows as record_rows
from dgr.records.answers import answer_rows, source_rows
from dgr.records.file_schemas import Probes, Tuning
from dgr.records.measurement_files import read_baselines, read_costs, read_probes, read_sweep
from dgr.records.origins import write_origins
from dgr.records.records import RECORD_COLUMNS, configured_measurements, configured_runs
from dgr.records.rows import CsvRow
from dgr.records.run_folders import SeedRecord, read_run, read_tuning, run_identity

_Read = TypeVar("_Read")


def collect_suite(suite: str) -> None:
    """:func:`collect_records` with the project's plan, in the working directory."""
    collect_records(suite, read_plan(), Path())


def collect_records(suite: str, plan: dict[str, Any], root: Path) -> None:
    """Check every configured run and measurement of a suite and write its records.

    Only what is configured is looked at: what else lies in the folders leaves no trace. Nothing is written unless
    everything is there. The records depend on the runs alone, byte for byte, except for the times in ``costs.csv``;
    who made the runs stands apart, see :mod:`dgr.records.origins`. A kind of measurement that is not configured gives
    a file without rows.

    Args:
        suite: its name in the plan.
        plan: the parsed ``plan.json``.
        root: the repository's top folder, with the folders of :mod:`dgr.core.paths`.

    Raises:
        DGRError: runs, tuning records or measurements are missing, partial, damaged or of another configuration; says
            which, and the command that makes them.
    """
    entries = configured_runs(plan, suite)
    _check_unique(entries)
    tuned = [key for key in entries if key in plan["tuned_runs"]]
    rules = tunings(plan)
    chosen = _read_all(tuned, lambda key: read_tuning(key, rules[key], root))
    runs = _read_all(entries, lambda key: read_run(key, entries[key], root))
    _check_agreement(entries, runs, chosen)
    seeds = [
        (key, run_identity(entries[key], seed), record)
        for key, records in runs.items()
        for seed, record in zip(entries[key]["seeds"], records, strict=True)
    ]
    frames = {**_run_frames(entries, seeds, chosen), **_measurement_frames(suite, plan, runs, root)}
    # pandas writes the shortest text that reads back as the same number.
    texts = {name: frame.to_csv(index=False, lineterminator="\n") for name, frame in frames.items()}
    texts["embedding"] = _embedding(suite, plan, root)
    for name, text in texts.items():
        write_text(root / paths.records_folder(suite) / f"{name}.csv", text)
    write_origins(suite, [record_rows.origin_row(*seed) for seed in seeds], root)


def _embedding(suite: str, plan: dict[str, Any], root: Path) -> str:
    """The points of F1 as their stage left them; no rows where none is configured."""
    if suite not in plan.get("embeddings", {}):
        return "regularizer,x,y\n"
    path = root / paths.output_path(suite, "embed", f"{suite}.csv")
    if not path.is_file():
        raise DGRError(f"{path} is missing; run `python -m dgr embed {suite}` or `snakemake --cores all`.")
    return path.read_text(encoding="utf-8")


def _run_frames(
    entries: dict[str, Any], seeds: list[tuple[str, CsvRow, SeedRecord]], tuned: dict[str, Tuning]
) -> dict[str, pd.DataFrame]:
    rows = [row for _, identity, record in seeds for row in record_rows.metric_rows(identity, record)]
    histories = [record_rows.history_rows(identity, record) for _, identity, record in seeds]
    grids = [row for key in tuned for row in record_rows.tuning_rows(key, run_identity(entries[key], 0), tuned[key])]
    return {
        "runs": _frame("runs", rows),
        "histories": pd.concat([pd.DataFrame(columns=RECORD_COLUMNS["histories"]), *histories], ignore_index=True),
        "tuning": _frame("tuning", grids),
        "provenance": _frame("provenance", [record_rows.provenance_row(*seed) for seed in seeds]),
        "answers": _frame("answers", [row for _, i, record in seeds for row in answer_rows(i, record.folder)]),
        "sources": _frame("sources", _once(row for _, i, record in seeds for row in source_rows(i, record.folder))),
    }


def _measurement_frames(
    suite: str, plan: dict[str, Any], runs: dict[str, list[SeedRecord]], root: Path
) -> dict[str, pd.DataFrame]:
    entries = configured_runs(plan, suite)
    probed, plain, swept, timed = (
        configured_measurements(plan, stage, suite) for stage in ("probes", "baselines", "sweeps", "costs")
    )
    _check_names(swept)
    probes = _read_all(probed, lambda key: read_probes(key, probed[key], root))
    _check_probes(probes, runs)
    baselines = _read_all(plain, lambda key: read_baselines(key, plain[key], root))
    sweeps = _read_all(swept, lambda key: read_sweep(key, swept[key], root))
    costs = _read_all(timed, lambda key: read_costs(key, timed[key], root))
    identities = {key: run_identity(entries[key], 0) for key in probes}
    rows: dict[str, list[CsvRow]] = {
        "probes": [row for key in baselines for row in record_rows.baseline_rows(plain[key], baselines[key])]
        + [row for key in probes for row in record_rows.probe_rows(identities[key], probes[key])],
        "universality": [row for key in probes for row in record_rows.universality_rows(identities[key], probes[key])],
        "sweeps": [row for key in sweeps for row in record_rows.sweep_rows(swept[key], sweeps[key])],
        "agreement": [row for key in sweeps for row in record_rows.agreement_rows(swept[key], sweeps[key])],
        "costs": [row for key in costs for row in record_rows.cost_rows(timed[key], costs[key])],
    }
    return {name: _frame(name, rows[name]) for name in rows}


def _once(rows: Iterable[CsvRow]) -> list[CsvRow]:
    """Each seed's test samples once: they are the same for all runs.

    Raises:
        DGRError: a run saw others.
    """
    found: dict[tuple[Any, ...], CsvRow] = {}
    for row in rows:
        place = (row["dataset"], row["seed"])
        if found.setdefault(place, row) != row:
            raise DGRError(f"Runs of {row['dataset']} with seed {row['seed']} saw different test samples; train again.")
    return list(found.values())


def _frame(name: str, rows: list[CsvRow]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=RECORD_COLUMNS[name])


def _read_all(keys: Iterable[str], read: Callable[[str], _Read]) -> dict[str, _Read]:
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
    cells = {key: tuple(run_identity(entry, 0).values()) for key, entry in entries.items()}
    if twice := [key for key, cell in cells.items() if Counter(cells.values())[cell] > 1]:
        raise DGRError(f"Runs {', '.join(twice)} would fill the same cell of a table; give them different suites.")


def _check_agreement(entries: dict[str, Any], runs: dict[str, list[SeedRecord]], tuned: dict[str, Tuning]) -> None:
    """Runs of one data set have the same tasks; each run has the setting that was configured or tuned."""
    tasks: dict[str, Any] = {}
    for key, records in runs.items():
        entry = entries[key]
        rate, strength = entry["training"]["learning_rate"], entry["regularizer"].get("strength")
        if key in tuned:
            rate, strength = tuned[key].chosen.learning_rate, tuned[key].chosen.strength
        for metrics in (record.metrics for record in records):
            if tasks.setdefault(entry["dataset"], metrics.tasks) != metrics.tasks:
                raise DGRError(
                    f"Run {key} has other tasks than the runs before it; repeat `python -m dgr train {key}`."
                )
            if (metrics.learning_rate, metrics.strength) != (rate, strength):
                source = "tuned" if key in tuned else "configured"
                raise DGRError(
                    f"Run {key} was trained with learning rate {metrics.learning_rate} and strength "
                    f"{metrics.strength}, not with the {source} {rate} and {strength}; "
                    f"repeat `python -m dgr train {key}`."
                )


def _check_probes(probes: dict[str, Probes], runs: dict[str, list[SeedRecord]]) -> None:
    """Probes see the tasks of their run at every epoch, and at its last one at least what classifiers see."""
    for key, probe in probes.items():
        metrics = runs[key][0].metrics
        epochs: dict[int, set[str]] = {}
        for row in probe.universality:
            epochs.setdefault(row.epoch, set()).add(row.task)
        trained, probed = set(metrics.tasks), {row.task for row in probe.rows}
        last = epochs.pop(metrics.final.epoch, None)
        if not trained <= probed <= (last or set()) or any(tasks != trained for tasks in epochs.values()):
            raise DGRError(f"The probes of {key} do not fit its runs; repeat `python -m dgr probe {key}`.")


def _check_names(sweeps: dict[str, Any]) -> None:
    names = Counter(entry["name"] for entry in sweeps.values())
    if twice := [name for name, count in names.items() if count > 1]:
        raise DGRError(f"Sweeps of one suite need different names, but there are several '{twice[0]}'; rename one.")
