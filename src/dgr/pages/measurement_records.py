"""The audit page's records of what is no run: sensitivity studies, cost measurements, trivial baselines."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dgr.pages.grid import Grid, from_frame
from dgr.pages.inputs import Sources
from dgr.pages.run_records import Record, anchor_of_run, as_yaml

TITLES = {"sweep": "Sensitivity study", "cost": "Cost", "baselines": "Trivial baselines"}


def study_records(sources: Sources) -> list[Record]:
    """One record a sweep, cost measurement and set of baselines of the plan."""
    sections = {"sweep": "sweeps", "cost": "costs", "baselines": "baselines"}
    return [
        _record(sources, command, section, key, entry)
        for command, section in sections.items()
        for key, entry in sources.entries(section).items()
    ]


def sweep_anchor(sources: Sources, name: str) -> str | None:
    """The anchor of the record of a sweep; for ``plain``, of the run that all sweeps are compared with."""
    if name == "plain":
        methods = (entry["run"]["method"]["name"] for entry in sources.entries("sweeps").values())
        return anchor_of_run(sources, next(methods), "none")
    return next((f"sweep-{key}" for key, entry in sources.entries("sweeps").items() if entry["name"] == name), None)


def cost_anchor(sources: Sources) -> str | None:
    """The anchor of the record of the cost measurement."""
    return next((f"cost-{key}" for key in sources.entries("costs")), None)


def baselines_anchor(sources: Sources) -> str | None:
    """The anchor of the record of the baselines."""
    return next((f"baselines-{key}" for key in sources.entries("baselines")), None)


def _record(sources: Sources, command: str, section: str, key: str, entry: dict[str, Any]) -> Record:
    name = entry.get("name", key)
    grids = {"sweep": _sweep, "cost": _cost, "baselines": _baselines}[command](sources, entry)
    rows = sum(len(grid.rows) for grid in grids)
    return Record(
        anchor=f"{command}-{key}",
        title=f"{TITLES[command]}: {name}",
        summary=f"{rows} rows" if rows else "not run",
        command=f"python -m dgr {command} {key}",
        settings=as_yaml(entry),
        facts=sources.locked(command, key, f"{section}/{key}.json"),
        grids=grids,
        missing=not rows,
    )


def _sweep(sources: Sources, entry: dict[str, Any]) -> list[Grid]:
    rows = sources.records.sweeps[sources.records.sweeps["sweep"] == entry["name"]]
    agreement = sources.records.agreement[sources.records.agreement["sweep"] == entry["name"]]
    rows = rows[rows["split"].isin(["val", "test"])]
    values = rows.assign(name=rows["task"] + " " + rows["metric"] + ", " + rows["split"])
    table = values.pivot(index=["settings", "seed"], columns="name", values="value").reset_index()
    grids = [from_frame(f"{entry['name']}: every setting and seed", table)] if len(table) else []
    if len(agreement):
        shown = agreement.drop(columns=["suite", "sweep"])
        grids.append(from_frame(f"{entry['name']}: exact against finite-difference gradient along training", shown))
    return grids


def _cost(sources: Sources, entry: dict[str, Any]) -> list[Grid]:
    costs = sources.records.costs
    ours = costs[(costs["dataset"] == entry["dataset"]) & (costs["architecture"] == entry["architecture"]["name"])]
    first = ["method", "regularizer", "num_dummies"]
    shown = ours[[*first, *(name for name in ours if name not in [*first, "suite", "dataset", "architecture"])]]
    return [from_frame("Seconds and memory a step, as measured", shown)] if len(ours) else []


def _baselines(sources: Sources, entry: dict[str, Any]) -> list[Grid]:
    probes = sources.records.probes
    ours: pd.DataFrame = probes[probes["method"].isna() & (probes["dataset"] == entry["dataset"])]
    shown = ours[["source", "task", "classifier", "value"]]
    return [from_frame("Test accuracy without any trained encoder", shown)] if len(ours) else []
