"""The audit page's record of each run: everything a number in a table goes back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import yaml

from dgr.core.paths import output_path
from dgr.pages.grid import Grid, from_frame, number
from dgr.pages.inputs import Sources
from dgr.records.names import REGULARIZERS, method_label
from dgr.records.rows import FINAL, REPRESENTATION
from dgr.records.run_folders import IDENTITY

QUANTITIES = {"penalty": "penalty λR", "gradient_ratio": "gradient ratio λ|g_R| / |g_task|"}
# In provenance.csv, what differs between seeds by nature; the rest is said once where all seeds agree.
OF_A_SEED = ["config_hash", "wall_seconds", "peak_memory_mb", "median_epoch_seconds"]


@dataclass(frozen=True)
class Record:
    """One section of the page.

    Attributes:
        anchor: where links lead, stable as long as the plan's key is.
        title: for readers.
        summary: one line that is always visible.
        command: what makes it.
        settings: its entry of the plan, as YAML.
        facts: what holds for the record as a whole, by name.
        grids: tables.
        curves: one line a seed: validation metric by epoch, mean over tasks.
        missing: whether the plan asks for it and the records lack it.
    """

    anchor: str
    title: str
    summary: str
    command: str
    settings: str
    facts: dict[str, str] = field(default_factory=dict)
    grids: list[Grid] = field(default_factory=list)
    curves: pd.DataFrame | None = None
    missing: bool = False


def run_anchor(key: str) -> str:
    """The anchor of a run's record."""
    return f"run-{key}"


def anchor_of_run(sources: Sources, method: str, regularizer: str) -> str | None:
    """The anchor of the record of a method with a regularizer; None if the plan has no such run."""
    for key, entry in sources.runs.items():
        if (entry["method"]["name"], entry["regularizer"]["name"]) == (method, regularizer):
            return run_anchor(key)
    return None


def cell_title(method: str, regularizer: str) -> str:
    """``EW``, ``EW + DGR``."""
    label = "" if regularizer == "none" else f" {REGULARIZERS.get(regularizer, f'+ {regularizer}')}"
    return f"{method_label(method)}{label}"


def run_records(sources: Sources) -> list[Record]:
    """One record a configured run, in the order of the plan; a run without records says so."""
    return [_run_record(sources, key, entry) for key, entry in sources.runs.items()]


def _run_record(sources: Sources, key: str, entry: dict[str, Any]) -> Record:
    cell = {"dataset": entry["dataset"]} | {part: entry[part]["name"] for part in IDENTITY[2:5]}
    names = ("runs", "histories", "provenance", "probes", "universality")
    frames = {name: sources.of_cell(name, cell) for name in names}
    title = cell_title(cell["method"], cell["regularizer"])
    runs, provenance = frames["runs"], frames["provenance"]
    done = list(dict.fromkeys(runs["seed"])) if len(runs) else []
    absent = [seed for seed in entry["seeds"] if seed not in done]
    tuned = key in sources.plan["tuned_runs"]
    facts, summary = {}, "not run"
    if done:
        facts = _facts(provenance) | sources.locked(
            "train_tuned" if tuned else "train", key, str(output_path(sources.suite, "train", key))
        )
        strength = f", strength {number(provenance['strength'].iloc[0])}" if cell["regularizer"] != "none" else ""
        summary = f"{len(done)} of {len(entry['seeds'])} seeds{strength}"
    if absent and done:
        summary += f"; seeds {', '.join(map(str, absent))} are missing"
    grids = []
    if done:
        grids = [_seeds(title, runs), _history(title, frames["histories"]), _provenance(title, provenance)]
    tuning = sources.tuning(key)
    if len(tuning):
        grids.append(_tuning(title, tuning, sources.plan["tuning"][key]))
    if len(frames["probes"]):
        caption = "classifiers on the frozen representation, test accuracy"
        grids.append(_by_seed(f"{title}: {caption}", frames["probes"], ["source", "task", "classifier"], "value"))
    if len(frames["universality"]):
        caption = "universality gap (loss of untrained heads minus loss of refitted heads, test)"
        grids.append(_by_seed(f"{title}: {caption}", frames["universality"], ["epoch", "task"], "gap"))
    return Record(
        anchor=run_anchor(key),
        title=title,
        summary=summary,
        command=f"python -m dgr train {key}",
        settings=as_yaml(entry),
        facts=facts,
        grids=grids,
        curves=_curves(frames["histories"]) if done else None,
        missing=bool(absent),
    )


def _seeds(title: str, runs: pd.DataFrame) -> Grid:
    """One row a seed: test metrics first, then what they are held against."""
    test, val = runs[runs["split"] == "test"], runs[runs["split"] == "val"]
    best, norm = test["moment"] != FINAL, test["task"] == REPRESENTATION
    wanted = {"test": test[~best & ~norm], "test at best val. epoch": test[best], "test, ": test[norm]}
    wanted["val"] = val[(val["moment"] == FINAL) & (val["task"] != REPRESENTATION)]
    columns = {}
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
    shown = provenance[columns].assign(config_hash=provenance["config_hash"].str[:12]).rename(columns=_heading)
    return from_frame(f"{title}: provenance of each seed (hashes shortened)", shown)


def _facts(provenance: pd.DataFrame) -> dict[str, str]:
    """What all seeds have in common."""
    names = [name for name in provenance if name not in [*IDENTITY, *OF_A_SEED, "key"]]
    shared = {name: provenance[name].iloc[0] for name in names if provenance[name].nunique(dropna=False) == 1}
    return {str(name).replace("_", " "): number(value) for name, value in shared.items() if not pd.isna(value)}


def _tuning(title: str, rows: pd.DataFrame, entry: dict[str, Any]) -> Grid:
    table = rows.pivot_table(index=["strength", "chosen"], columns=["metric", "task", "seed"], values="value")
    table.columns = table.columns.map("{0[1]} {0[0]}, seed {0[2]}".format)
    return from_frame(f"{title}: tuning on the validation split, rule {entry['rule']}", table.reset_index())


def _by_seed(caption: str, frame: pd.DataFrame, index: list[str], value: str) -> Grid:
    table = frame.pivot(index=index, columns="seed", values=value)
    table.columns = [f"seed {seed}" for seed in table.columns]
    return from_frame(caption, table.reset_index())


def _curves(histories: pd.DataFrame) -> pd.DataFrame:
    """Rows epochs, columns seeds: the mean over tasks of the validation metric."""
    columns = [name for name in map(str, histories) if name.startswith("val_") and not name.startswith("val_loss/")]
    values = histories.assign(value=histories[columns].mean(axis=1))
    return values.pivot(index="epoch", columns="seed", values="value")


def as_yaml(entry: dict[str, Any]) -> str:
    """An entry of the plan as the reader of the plan sees it."""
    return yaml.safe_dump(entry, sort_keys=False, default_flow_style=None, width=80)
