"""The page's record of each run: everything a number in a table goes back to."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dgr.config.plan_file import tunings
from dgr.core.paths import output_path
from dgr.pages.grid import Grid, from_frame, number_text
from dgr.pages.inputs import Inputs
from dgr.pages.record_views import RecordView, as_yaml, recomputed
from dgr.records.names import SINGLE_TASK, method_label, metric_named, regularizer_label
from dgr.records.outcomes import UNIVERSALITY, delta_m_per_run, primary_metrics
from dgr.records.rows import FINAL, REPRESENTATION
from dgr.records.run_folders import IDENTITY

QUANTITIES = {"penalty": "penalty λR", "gradient_ratio": "gradient ratio λ|g_R| / |g_task|"}
PLACE = ["dataset", "architecture"]
MANY_RUNS = 40
"""From so many on, measurements of each seed are left to the CSV files, so that a page stays below 3 MB."""
# In provenance.csv, what differs between seeds by nature; the rest is said once where all seeds agree.
OF_A_SEED = ["config_hash", "result", "wall_seconds", "peak_memory_mb", "median_epoch_seconds"]


def run_key(inputs: Inputs, method: str, regularizer: str, dataset: str | None, architecture: str | None) -> str | None:
    """The key of the run of a method with a regularizer; None if the plan has no such run.

    Args:
        inputs: of the suite.
        method: its name in the registry.
        regularizer: likewise.
        dataset: likewise; None for any.
        architecture: likewise.
    """
    wanted = (method, regularizer, dataset, architecture)
    for key, entry in inputs.runs.items():
        found = (entry["method"]["name"], entry["regularizer"]["name"], entry["dataset"], entry["architecture"]["name"])
        if all(name in (None, other) for name, other in zip(wanted, found, strict=True)):
            return key
    return None


def cell_title(method: str, regularizer: str) -> str:
    """``EW``, ``EW + DGR``."""
    label = "" if regularizer == "none" else f" {regularizer_label(regularizer)}"
    return f"{method_label(method)}{label}"


def run_records(inputs: Inputs) -> list[RecordView]:
    """One record a configured run, in the order of the plan; a run without records says so."""
    places = {(entry["dataset"], entry["architecture"]["name"]) for entry in inputs.runs.values()}
    deltas = {
        place: delta_m_per_run(runs)
        for place, runs in inputs.records.runs.groupby(PLACE, sort=False)
        if SINGLE_TASK in set(runs["method"])
    }
    return [_run_record(inputs, key, entry, len(places) > 1, deltas) for key, entry in inputs.runs.items()]


def _run_record(
    inputs: Inputs, key: str, entry: dict[str, Any], tell_place: bool, deltas: dict[Any, pd.Series]
) -> RecordView:
    cell = {"dataset": entry["dataset"]} | {part: entry[part]["name"] for part in IDENTITY[2:5]}
    place = cell["dataset"], cell["architecture"]
    names = ("runs", "histories", "provenance", "probes", "universality")
    frames = {name: inputs.of_cell(name, cell) for name in names}
    title = cell_title(cell["method"], cell["regularizer"])
    if tell_place:
        title += f" ({', '.join(place)})"
    runs, provenance = frames["runs"], frames["provenance"]
    done = list(dict.fromkeys(runs["seed"])) if len(runs) else []
    absent = [seed for seed in entry["seeds"] if seed not in done]
    facts, summary = {}, "not run"
    if done:
        facts = (
            recomputed(inputs.suite, key, done[0])
            | _facts(provenance)
            | inputs.locked(output_path(inputs.suite, "train", key))
        )
        rate, strength = (provenance[name].iloc[0] for name in ("learning_rate", "strength"))
        told = "" if pd.isna(strength) else f", strength {number_text(strength)}"
        summary = f"{len(done)} of {len(entry['seeds'])} seeds, learning rate {number_text(rate)}{told}"
    if absent and done:
        summary += f"; seeds {', '.join(map(str, absent))} are missing"
    grids = []
    if done:
        delta = deltas[place].loc[cell["method"], cell["regularizer"]] if place in deltas else None
        grids = [_seeds(title, runs, delta), _history(title, frames["histories"]), _provenance(title, provenance)]
    tuning = inputs.tuning(key)
    if len(tuning):
        grids.append(_tuning(title, tuning, tunings(inputs.plan)[key]))
    if len(frames["probes"]):
        caption = "classifiers on the frozen representation, test accuracy"
        index = ["given", "task", "classifier"]
        grids.append(_by_seed(f"{title}: {caption}", frames["probes"], index, "value", len(inputs.runs)))
    if len(frames["universality"]):
        for column, words in UNIVERSALITY.items():
            caption = f"universality, test loss of heads: {words} (nats)"
            grids.append(
                _by_seed(f"{title}: {caption}", frames["universality"], ["epoch", "task"], column, len(inputs.runs))
            )
    return RecordView(
        key=key,
        title=title,
        summary=summary,
        command=f"python -m dgr train {key}",
        settings=as_yaml(entry),
        facts=facts,
        grids=grids,
        curves=_curves(frames["histories"], primary_metrics(runs)),
        missing=bool(absent),
    )


def _seeds(title: str, runs: pd.DataFrame, delta: pd.Series | None) -> Grid:
    """One row a seed: Δm and test metrics first, then what they are held against."""
    test, val = runs[runs["split"] == "test"], runs[runs["split"] == "val"]
    best, norm = test["moment"] != FINAL, test["task"] == REPRESENTATION
    wanted = {"test": test[~best & ~norm], "test at best val. epoch": test[best], "test, ": test[norm]}
    wanted["val"] = val[(val["moment"] == FINAL) & (val["task"] != REPRESENTATION)]
    columns = {} if delta is None else {"Δm (%), test": delta}
    for label, rows in wanted.items():
        for (task, metric), group in rows.groupby(["task", "metric"], sort=False):
            name = f"{task} {metric}, {label}" if task != REPRESENTATION else "mean ‖z‖, test"
            columns[name] = group.set_index("seed")["value"]
    return from_frame(f"{title}: every seed, as recorded", pd.DataFrame(columns).reset_index(names="seed"))


def _history(title: str, histories: pd.DataFrame) -> Grid:
    values = histories.drop(columns=IDENTITY).dropna(axis="columns", how="all")
    mean = values.groupby("epoch", as_index=False).mean()
    mean["epoch"] = mean["epoch"].astype(int)
    seeds = histories["seed"].nunique()
    caption = f"{title}: history, mean over {seeds} seeds (each seed in histories.csv)"
    return from_frame(caption, mean.rename(columns=_heading))


def _heading(column: str) -> str:
    """``val_loss/left`` → ``left val loss``."""
    quantity, _, task = column.partition("/")
    return f"{task} {QUANTITIES.get(quantity, quantity.replace('_', ' '))}".strip()


def _provenance(title: str, provenance: pd.DataFrame) -> Grid:
    varying = [name for name in provenance if name not in IDENTITY and provenance[name].nunique(dropna=False) > 1]
    columns = [name for name in dict.fromkeys(["seed", *OF_A_SEED, *varying]) if name in provenance]
    shortened = {name: provenance[name].astype(str).str[:12] for name in ("config_hash", "result")}
    shown = provenance[columns].assign(**shortened).rename(columns=_heading)
    return from_frame(f"{title}: provenance of each seed (hashes shortened)", shown)


def _facts(provenance: pd.DataFrame) -> dict[str, str]:
    """What all seeds have in common."""
    names = [name for name in provenance if name not in [*IDENTITY, *OF_A_SEED, "key"]]
    shared = {name: provenance[name].iloc[0] for name in names if provenance[name].nunique(dropna=False) == 1}
    return {str(name).replace("_", " "): number_text(value) for name, value in shared.items() if not pd.isna(value)}


def _tuning(title: str, rows: pd.DataFrame, entry: dict[str, Any]) -> Grid:
    index = ["learning_rate", *(["strength"] if rows["strength"].notna().any() else []), "chosen"]
    table = rows.pivot_table(index=index, columns=["metric", "task", "seed"], values="value")
    table.columns = table.columns.map("{0[1]} {0[0]}, seed {0[2]}".format)
    return from_frame(f"{title}: tuning on the validation split, rule {entry['rule']}", table.reset_index())


def _by_seed(caption: str, frame: pd.DataFrame, index: list[str], value: str, runs: int) -> Grid:
    if runs >= MANY_RUNS:
        summary = frame.groupby(index, sort=False, dropna=False)[value].agg(["mean", "std"]).reset_index()
        return from_frame(f"{caption}, over seeds (each seed in results/SUITE/records)", summary)
    table = frame.pivot(index=index, columns="seed", values=value)
    table.columns = [f"seed {seed}" for seed in table.columns]
    return from_frame(caption, table.reset_index())


def _curves(histories: pd.DataFrame, metrics: dict[str, str]) -> dict[str, pd.DataFrame]:
    """For each primary metric, rows epochs and columns seeds: validation, mean over the tasks that have it."""
    curves = {}
    for metric in dict.fromkeys(metrics.values()):
        tasks = [task for task, own in metrics.items() if own == metric]
        values = histories.assign(value=histories[[f"val_{metric}/{task}" for task in tasks]].mean(axis=1))
        label = f"{metric_named(metric).label} of {' and '.join(tasks)}"
        curves[label] = values.pivot(index="epoch", columns="seed", values="value")
    return curves
