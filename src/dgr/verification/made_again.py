"""The rows that places left, as they stand in the record files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dgr.config.plan_file import Plan, tunings
from dgr.core.paths import output_path, records_folder
from dgr.records import rows as record_rows
from dgr.records.answers import answer_rows, source_rows
from dgr.records.measurement_files import read_baselines, read_probes, read_sweep
from dgr.records.records import configured_studies
from dgr.records.rows import CsvRow
from dgr.records.run_folders import read_run, read_tuning, run_identity
from dgr.verification.places import Place
from dgr.verification.record_files import RecordFile, as_text, record_file, text_frame


def read_again(places: list[Place], suite: str) -> list[RecordFile]:
    """All rows of all places, a file of each kind that has any.

    Raises:
        DGRError: a command left something that the pipeline would refuse too.
    """
    frames: dict[str, list[pd.DataFrame]] = {}
    for place in places:
        for name, frame in {**_of_runs(place, suite), **_measured(place), **_alone(place), **_points(place)}.items():
            if len(frame):
                frames.setdefault(name, []).append(frame)
    return [record_file(name, as_text(pd.concat(found))) for name, found in frames.items()]


def _of_runs(place: Place, suite: str) -> dict[str, pd.DataFrame]:
    metrics: list[CsvRow] = []
    histories = []
    hashes: list[CsvRow] = []
    answers: list[CsvRow] = []
    sources: list[CsvRow] = []
    for key, entry in (place.plan["runs"] | place.plan["tuned_runs"]).items():
        for seed, record in zip(entry["seeds"], read_run(key, entry, place.folder), strict=True):
            metrics += record_rows.metric_rows(run_identity(entry, seed), record)
            hashes.append(record_rows.provenance_row(key, run_identity(entry, seed), record))
            histories.append(record_rows.history_rows(run_identity(entry, seed), record))
            answers += answer_rows(run_identity(entry, seed), record.folder)
            sources += source_rows(run_identity(entry, seed), record.folder)
    studies = {
        entry["name"]: text_frame(place.folder / records_folder(suite) / f"{entry['name']}.csv")
        for entry in configured_studies(place.plan, suite).values()
    }
    frames = {"provenance": pd.DataFrame(hashes), "runs": pd.DataFrame(metrics), "answers": pd.DataFrame(answers)}
    frames["sources"] = pd.DataFrame(sources).drop_duplicates()  # all runs of a seed have the same
    return frames | {"histories": pd.concat(histories) if histories else pd.DataFrame()} | studies


def _measured(place: Place) -> dict[str, pd.DataFrame]:
    probes: list[CsvRow] = []
    universality: list[CsvRow] = []
    for key, entry in place.plan["baselines"].items():
        probes += record_rows.baseline_rows(entry, read_baselines(key, entry, place.folder))
    for key, entry in place.plan["probes"].items():
        found, identity = read_probes(key, entry, place.folder), _identity(place.plan, key)
        probes += record_rows.probe_rows(identity, found)
        universality += record_rows.universality_rows(identity, found)
    columns = record_rows.PROBE_COLUMNS
    frame = pd.DataFrame(probes, columns=columns).astype({"seed": "Int64"})  # empty for baselines
    return {"probes": frame, "universality": pd.DataFrame(universality)}


def _alone(place: Place) -> dict[str, pd.DataFrame]:
    rows: dict[str, list[CsvRow]] = {"tuning": [], "sweeps": [], "agreement": []}
    for key, entry in tunings(place.plan).items():
        tuning = read_tuning(key, entry, place.folder)
        rows["tuning"] += record_rows.tuning_rows(key, run_identity(entry["run"], 0), tuning)
    for key, entry in place.plan["sweeps"].items():
        sweep = read_sweep(key, entry, place.folder)
        rows["sweeps"] += record_rows.sweep_rows(entry, sweep)
        rows["agreement"] += record_rows.agreement_rows(entry, sweep)
    return {name: pd.DataFrame(found) for name, found in rows.items()}


def _points(place: Place) -> dict[str, pd.DataFrame]:
    paths = [place.folder / output_path(entry["suite"], "embed", f"{key}.csv") for key, entry in _embeddings(place)]
    return {"embedding": pd.concat(map(text_frame, paths))} if paths else {}


def _embeddings(place: Place) -> list[tuple[str, CsvRow]]:
    return list(place.plan["embeddings"].items())


def _identity(plan: Plan, key: str) -> dict[str, str | int]:
    return run_identity((plan["runs"] | plan["tuned_runs"])[key], 0)


def committed_file(suite: str, name: str, root: Path = Path()) -> RecordFile:
    """A suite's committed record file.

    Raises:
        DGRError: it is missing or damaged.
    """
    return record_file(name, text_frame(root / records_folder(suite) / f"{name}.csv"))
