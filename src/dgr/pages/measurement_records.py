"""The page's records of what is measured beside runs: sweeps, costs, trivial baselines."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dgr.core.paths import output_path
from dgr.pages.grid import Grid, from_frame
from dgr.pages.inputs import Inputs
from dgr.pages.record_views import RecordView, as_yaml, recomputed
from dgr.pages.specification_records import specification_grids

TITLES = {"sweep": "Sweep", "cost": "Cost", "baselines": "Trivial baselines"}
SECTIONS = {"sweep": "sweeps", "cost": "costs", "baselines": "baselines"}
"""Of the plan, by the command that measures."""


def measurement_records(inputs: Inputs) -> list[RecordView]:
    """One record a sweep or specification, cost measurement and set of baselines of the plan."""
    return [
        _record(inputs, command, key, entry)
        for command, section in SECTIONS.items()
        for key, entry in inputs.entries(section).items()
    ]


def cost_key(inputs: Inputs, architecture: str) -> str | None:
    """The key of the cost measurement of an architecture; None if the plan has none."""
    found = (key for key, entry in inputs.entries("costs").items() if entry["architecture"]["name"] == architecture)
    return next(found, None)


def _record(inputs: Inputs, command: str, key: str, entry: dict[str, Any]) -> RecordView:
    name = entry.get("name", key)
    specification = inputs.entries("specifications").get(key)
    if specification:
        grids = specification_grids(key, inputs.records.sweeps, entry, specification)
    else:
        grids = {"sweep": _sweep, "cost": _cost, "baselines": _baselines}[command](inputs, entry)
    rows = sum(len(grid.rows) for grid in grids)
    return RecordView(
        key=key,
        title=f"{'Specification' if specification else TITLES[command]}: {name}",
        summary=f"{rows} rows" if rows else "not run",
        command=f"python -m dgr {command} {key}",
        settings=as_yaml(entry),
        facts=_again(inputs.suite, command, key, entry)
        | inputs.locked(output_path(inputs.suite, command, f"{key}.json")),
        grids=grids,
        missing=not rows,
    )


def _again(suite: str, command: str, key: str, entry: dict[str, Any]) -> dict[str, str]:
    """Times are measured, not computed: nobody gets them again."""
    if command == "cost":
        return {}
    seeds = entry["run"].get("seeds", [None]) if command == "sweep" else [None]
    return recomputed(suite, key, seeds[0])


def _sweep(inputs: Inputs, entry: dict[str, Any]) -> list[Grid]:
    rows = inputs.records.sweeps[inputs.records.sweeps["sweep"] == entry["name"]]
    agreement = inputs.records.agreement[inputs.records.agreement["sweep"] == entry["name"]]
    rows = rows[rows["split"].isin(["val", "test"])]
    values = rows.assign(name=rows["task"] + " " + rows["metric"] + ", " + rows["split"])
    table = values.pivot(index=["settings", "seed"], columns="name", values="value").reset_index()
    grids = [from_frame(f"{entry['name']}: every setting and seed", table)] if len(table) else []
    if len(agreement):
        shown = agreement.drop(columns=["suite", "sweep"])
        grids.append(from_frame(f"{entry['name']}: exact against finite-difference gradient along training", shown))
    return grids


def _cost(inputs: Inputs, entry: dict[str, Any]) -> list[Grid]:
    costs = inputs.records.costs
    ours = costs[(costs["dataset"] == entry["dataset"]) & (costs["architecture"] == entry["architecture"]["name"])]
    first = ["method", "regularizer", "num_dummies"]
    shown = ours[[*first, *(name for name in ours if name not in [*first, "suite", "dataset", "architecture"])]]
    return [from_frame("Seconds and memory a step, as measured", shown)] if len(ours) else []


def _baselines(inputs: Inputs, entry: dict[str, Any]) -> list[Grid]:
    probes = inputs.records.probes
    ours: pd.DataFrame = probes[probes["method"].isna() & (probes["dataset"] == entry["dataset"])]
    shown = ours[["given", "task", "classifier", "value"]]
    return [from_frame("Test accuracy without any trained encoder", shown)] if len(ours) else []
