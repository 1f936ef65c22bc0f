"""Whether a suite's records are those of its plan: every row once, every seed, every choice as the rule says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from dgr.config.parsing import parse
from dgr.config.plan_file import Plan, read_plan, tunings
from dgr.core.files import read_json, sha256
from dgr.core.improvement import mean_relative_improvement
from dgr.core.paths import records_folder, tuning_file
from dgr.core.provenance import config_hash
from dgr.records.current import check_current
from dgr.records.names import metric_named
from dgr.records.records import Records, configured_measurements, configured_runs, configured_studies, load_records
from dgr.records.rows import FINAL, REPRESENTATION, settings_text
from dgr.records.run_folders import IDENTITY, run_identity
from dgr.records.study_records import load_study
from dgr.training.configuration import RunConfig, SweepConfig
from dgr.verification.findings import Finding, shortened
from dgr.verification.record_files import NAMING_COLUMNS, origins_file, provenance_file, record_file, text_frame

_Setting = tuple[float, float | None]
"""Learning rate and strength."""
RESTORE = "restore it with `git checkout`"


def check_runs(suite: str) -> Finding:
    """The records of a suite of runs.

    Raises:
        DGRError: a file is missing or damaged, so that nothing can be said about it.
    """
    found, plan = Finding("records against the plan"), read_plan()
    records, runs = load_records(records_folder(suite)), configured_runs(plan, suite)
    with found.told():
        check_current(runs, configured_measurements(plan, "probes", suite), records, suite)
    for name in NAMING_COLUMNS:
        file = record_file(name, text_frame(records_folder(suite) / f"{name}.csv"))
        found.compared += len(file.rows)
        found.expect(not file.repeated, f"{name}.csv has rows twice: {shortened(map(' '.join, file.repeated))}.")
    for check in (_tunings, _sweeps, _baselines, _embedding, _histories, _configurations, _origins):
        for holds, problem in check(plan, suite, records):
            found.expect(holds, problem)
    return found


def check_studies(suite: str) -> Finding:
    """The records of a suite's studies, each with every seed of the plan, and who made just these numbers."""
    found = Finding("studies against the plan")
    for key, entry in configured_studies(read_plan(), suite).items():
        with found.told():
            study = load_study(key)
            found.compared += len(study.frame)
            path = origins_file(suite, f"{entry['name']}.json")
            origin = read_json(path, RESTORE)
            same = origin.get("result") == sha256(records_folder(suite) / f"{entry['name']}.csv")
            found.expect(same, f"{path} is about another result than the record.")
    return found


def _tunings(plan: Plan, suite: str, records: Records) -> Iterator[tuple[bool, str]]:
    """Every setting is tried that is configured; the choice is what the rule says, and what the runs have."""
    runs, rules = configured_runs(plan, suite), tunings(plan)
    provenance = text_frame(provenance_file(suite))
    for key in (key for key in runs if key in rules):
        entry, rows = rules[key], records.tuning[records.tuning["key"] == key]
        file = tuning_file(suite, key)
        record = read_json(file, RESTORE)
        with_choice = _setting(record["chosen"])
        used = {_setting(row) for row in provenance[provenance["key"] == key].to_dict("records")}
        yield used == {with_choice}, f"The runs of {key} have other settings than {file} chose."
        tried = {(_setting(row), row["seed"]) for row in rows.to_dict("records")}
        recorded = {
            (_setting(row), row["seed"]) for row in record["rows"] if row["val"] is not None
        }  # nothing diverged
        yield tried == recorded, f"tuning.csv: {key} has other settings or seeds than {file}."
        marked = {_setting(row) for row in rows[rows["chosen"]].to_dict("records")}
        wanted = {with_choice} & {setting for setting, _ in tried}  # what is matched may lie between what was tried
        yield marked == wanted, f"tuning.csv: {key} marks another choice than {file} has."
        if entry["matched"] is None:
            again = setting_by_rule(rows, entry["seeds"])
            told = f"tuning.csv: {key} chose {_words(with_choice)}, but by the rule its rows choose {_words(again)}."
            yield with_choice == again, told


def setting_by_rule(rows: pd.DataFrame, seeds: list[int]) -> _Setting | None:
    """What the rule ``best_mean_validation`` takes, from one run's rows of ``tuning.csv``.

    Independent of the stage that chose it: of the settings that have every seed, the highest mean over tasks of the
    relative improvement of the mean over seeds, over that of the first without a metric of 0; ties go to the first.
    """
    rows = rows[rows["task"] != REPRESENTATION]
    primary = rows[rows["metric"] != "loss"].drop_duplicates("task").set_index("task")["metric"]
    directions = {str(task): metric_named(metric).higher_is_better for task, metric in primary.items()}
    first = rows[[primary.get(task) == metric for task, metric in zip(rows["task"], rows["metric"], strict=True)]]
    means: dict[_Setting, dict[str, float]] = {}
    for setting, own in first.groupby(["learning_rate", "strength"], sort=False, dropna=False):
        if set(own["seed"]) == set(seeds):
            by_task = {task: dict(zip(of["seed"], of["value"], strict=True)) for task, of in own.groupby("task")}
            # In the order of the seeds, as it was added up.
            means[_setting(dict(zip(("learning_rate", "strength"), setting, strict=True)))] = {
                task: sum(by_task[task][seed] for seed in seeds) / len(seeds) for task in directions
            }
    reference = next((mean for mean in means.values() if all(mean.values())), None)
    if reference is None:
        return None
    scores = {setting: mean_relative_improvement(mean, reference, directions) for setting, mean in means.items()}
    return max(scores, key=lambda setting: scores[setting])


def _setting(row: Mapping[Any, Any]) -> _Setting:
    """Learning rate and strength, of a file's texts or a frame's numbers."""
    strength = row["strength"]
    return float(row["learning_rate"]), None if strength == "" or pd.isna(strength) else float(strength)


def _words(setting: _Setting | None) -> str:
    return "nothing" if setting is None else " and ".join(f"{value:g}" for value in setting if value is not None)


def _sweeps(plan: Plan, suite: str, records: Records) -> Iterator[tuple[bool, str]]:
    """Every point of every sweep, and no other."""
    wanted: set[tuple[str, str, int]] = set()
    for key, entry in configured_measurements(plan, "sweeps", suite).items():
        config = parse(SweepConfig, entry, key)
        points = [settings_text(settings) for settings, _ in config.points()]
        wanted |= {(config.name, point, seed) for point in points for seed in config.run.seeds}
    rows = records.sweeps
    made = set(zip(rows["sweep"], rows["settings"], rows["seed"], strict=True))
    yield made == wanted, f"sweeps.csv has {len(made - wanted)} points too many and {len(wanted - made)} too few."


def _baselines(plan: Plan, suite: str, records: Records) -> Iterator[tuple[bool, str]]:
    probes = records.probes
    made = set(probes.loc[probes["method"].isna(), "dataset"])
    wanted = {entry["dataset"] for entry in configured_measurements(plan, "baselines", suite).values()}
    yield made == wanted, f"probes.csv has baselines of {shortened(sorted(made)) or 'no data set'}."


def _embedding(plan: Plan, suite: str, records: Records) -> Iterator[tuple[bool, str]]:
    entry = plan["embeddings"].get(suite)
    points = text_frame(records_folder(suite) / "embedding.csv")["regularizer"].value_counts().to_dict()
    names = [entry[run].rpartition("-")[2] for run in ("plain", "regularized")] if entry else []
    wanted = dict.fromkeys(names, entry["samples"]) if entry else {}
    yield (
        points == wanted,
        f"embedding.csv has {shortened(points.values()) or 'no'} points, the plan {wanted or 'none'}.",
    )


def _histories(plan: Plan, suite: str, records: Records) -> Iterator[tuple[bool, str]]:
    """The validation metrics after the last epoch stand in two files, which must agree."""
    rows = records.runs[(records.runs["split"] == "val") & (records.runs["moment"] == FINAL)]
    last = records.histories.groupby(IDENTITY, sort=False).last()
    for row in rows[rows["metric"] != "mean_norm"].to_dict("records"):
        run, column = tuple(row[name] for name in IDENTITY), f"val_{row['metric']}/{row['task']}"
        known = run in last.index and column in last
        yield (
            known and bool(last.loc[run, column] == row["value"]),
            f"runs.csv and histories.csv differ in {column} of {' '.join(map(str, run[3:]))} after the last epoch.",
        )


def _configurations(plan: Plan, suite: str, records: Records) -> Iterator[tuple[bool, str]]:
    """The hash of each seed's settings is that of the plan's, with the strength that was chosen."""
    runs = configured_runs(plan, suite)
    frame = text_frame(provenance_file(suite))
    rows = Counter((row["key"], int(row["seed"])) for row in frame.to_dict("records"))
    yield max(rows.values(), default=0) <= 1, "provenance.csv has a seed twice."
    for row in frame.to_dict("records"):
        key, seed = row["key"], int(row["seed"])
        if key not in runs:
            yield False, f"provenance.csv has {key}, which the plan has not."
            continue
        same = all(str(value) == row[name] for name, value in run_identity(runs[key], seed).items())
        yield same, f"provenance.csv: the row of {key}, seed {seed}, names another run."
        same = row["config_hash"] == _hash(key, runs[key], seed, row["learning_rate"], row["strength"])
        yield same, f"provenance.csv: {key}, seed {seed}, has the hash of other settings."


def _origins(plan: Plan, suite: str, records: Records) -> Iterator[tuple[bool, str]]:
    """Who made a seed is told of the result that is there."""
    made, told = text_frame(provenance_file(suite)), text_frame(origins_file(suite))
    columns = ["key", "seed", "result"]
    if missing := set(columns) - set(made) | set(columns) - set(told):
        yield False, f"provenance.csv or {origins_file(suite)} lacks the columns {', '.join(sorted(missing))}."
        return
    results = [set(frame[columns].itertuples(index=False, name=None)) for frame in (made, told)]
    differing = sorted(f"{key}, seed {seed}" for key, seed, _ in results[0] ^ results[1])
    yield not differing, f"{origins_file(suite)} is about other results than provenance.csv: {shortened(differing)}."


def _hash(key: str, entry: dict[str, Any], seed: int, rate: str, strength: str) -> str:
    """Of a seed's settings as they are recorded."""
    config, value = parse(RunConfig, entry, key), float(strength) if strength else None
    settings = (config.resolved(float(rate), value) if config.is_tuned else config).model_dump(mode="json")
    return config_hash({name: settings[name] for name in settings if name != "seeds"} | {"seed": seed})
