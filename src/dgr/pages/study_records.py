"""The page's record of each study: every number of every seed, its settings, and where it was made."""

from __future__ import annotations

from typing import Any

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.files import read_json
from dgr.pages.grid import from_frame, number_text
from dgr.pages.inputs import Inputs
from dgr.pages.record_views import RecordView, as_yaml, recomputed
from dgr.records.records import configured_studies, study_command
from dgr.records.study_records import load_study


def study_views(inputs: Inputs) -> list[RecordView]:
    """One record a study of the plan; one that was not run says so.

    Raises:
        DGRError: a study's records are damaged or not those of the plan.
    """
    return [_record(inputs, key, entry) for key, entry in configured_studies(inputs.plan, inputs.suite).items()]


def study_origin(suite: str, name: str) -> dict[str, Any]:
    """Who made a study's numbers first: commit, versions, machine, time.

    Raises:
        DGRError: the file is missing or damaged.
    """
    path = paths.origins_folder(suite) / f"{name}.json"
    origin: dict[str, Any] = read_json(path, f"run `python -m dgr {study_command(read_plan(), f'{suite}-{name}')}`")
    return origin


def _record(inputs: Inputs, key: str, entry: dict[str, Any]) -> RecordView:
    name = entry["name"]
    path = paths.records_folder(inputs.suite) / f"{name}.csv"
    command, title = f"python -m dgr {study_command(inputs.plan, key)}", f"Study {name}"
    if not path.exists():
        return RecordView(key, title, "not run", command, as_yaml(entry), missing=True)
    study = load_study(key)
    wide = study.frame.pivot(index=["measure", "setting", "method", "level"], columns="seed", values="value")
    wide.columns = [f"seed {seed}" for seed in wide.columns]
    origin = study_origin(inputs.suite, name)
    told = {what: value for what, value in origin.items() if what != "versions"}
    told |= {f"version of {package}": version for package, version in origin["versions"].items()}
    return RecordView(
        key=key,
        title=title,
        summary=f"{study.seeds} seeds. {study.report.title} Source: {study.report.paper}.",
        command=command,
        settings=as_yaml(entry),
        facts=recomputed(inputs.suite, key, entry["seeds"][0])
        | {what.replace("_", " "): number_text(value) for what, value in told.items()}
        | inputs.locked(path)
        | inputs.locked(path.with_suffix(".json")),
        grids=[from_frame(f"{name}: every number of every seed", wide.reset_index())],
    )
