"""T1, T2 and T3: test metrics of each task and Δm, every method without and with its regularizers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dgr.core.errors import DGRError
from dgr.records.collapsed import COLLAPSE, collapsed_runs
from dgr.records.names import (
    KNOWN_REGULARIZERS,
    method_label,
    metric_named,
    regularizer_label,
)
from dgr.records.rows import REPRESENTATION
from dgr.records.scope import CELL, Scope
from dgr.records.sweep_points import NORM
from dgr.tables.shared.rendering import Table, mean_sd
from dgr.tables.shared.tuning import lies_at_an_end, trained_out_note, tuning_notes
from dgr.tables.shared.universality import IN_TEXT, universality_columns, universality_notes

NAMES = ("T1", "T2", "T3")
NEUTRAL = ([0.0] * 3, [1.0] * 3, [1.0])
"""Settings that change nothing: a mean of 0, a deviation of 1, a scale of 1."""
READERS_WORDS = {"width": "features"}
"""Settings that a reader knows by another word than the configuration's."""
DELTA, DELTA_BEST = "delta_m", "delta_m_best_epoch"


def build(scope: Scope) -> Table:
    """Mean and standard deviation over seeds, one row a method and regularizer.

    Raises:
        DGRError: a cell has fewer seeds than configured, or single-task learning was not run.
    """
    metrics = [*scope.primary_metrics().items(), *scope.secondary_metrics()]
    data = _cells(scope, metrics)
    methods = list(dict.fromkeys(data["method"]))
    return Table(
        data=data,
        text=_text(data, metrics),
        groups=[methods.index(method) for method in data["method"]],
        title=_title(scope),
        notes=_notes(scope, data),
        records=[[scope.run_key(*cell)] for cell in scope.cells()],
    )


def _runs(scope: Scope, metrics: list[tuple[str, str]]) -> pd.DataFrame:
    """One row a run (method, regularizer, seed), one column a quantity of the table."""
    columns = {f"{task}_{metric}": scope.values("test", {task: metric})[task] for task, metric in metrics}
    columns |= {DELTA: scope.delta_m(), DELTA_BEST: scope.delta_m("best_validation")}
    if scope.probes:
        columns |= universality_columns(scope)
    norm = scope.values("test", {REPRESENTATION: "mean_norm"})[REPRESENTATION]
    return pd.DataFrame({**columns, NORM: norm})


def _cells(scope: Scope, metrics: list[tuple[str, str]]) -> pd.DataFrame:
    quantities = _runs(scope, metrics)
    fallen = collapsed_runs(scope.records.runs).reindex(quantities.index)
    sound = quantities[~fallen].groupby(level=CELL)
    runs, counts = dict(iter(sound)), quantities.groupby(level=CELL).size()
    chosen = dict(iter(scope.records.provenance.groupby(CELL)[["learning_rate", "strength"]]))
    rows = []
    for cell in scope.cells():
        if len(chosen[cell].drop_duplicates()) != 1:
            raise DGRError(f"Seeds of {', '.join(cell)} have different settings; train this run again.")
        settings = {str(name): float(value) for name, value in chosen[cell].iloc[0].items()}
        own = runs.get(cell, quantities.iloc[:0])
        row: dict[str, Any] = dict(zip(CELL, cell, strict=True)) | settings | {"n": int(counts[cell])}
        row["collapsed"] = row["n"] - len(own)
        for name, values in own.items():
            row |= {f"{name}_mean": values.mean(skipna=False), f"{name}_sd": values.std(ddof=1, skipna=False)}
        for name, value in settings.items():
            row[f"{name}_at_grid_end"] = lies_at_an_end(scope, scope.run_key(*cell), name, value)
        rows.append({"dataset": scope.dataset, "architecture": scope.architecture, **row})
    return pd.DataFrame(rows)


def _text(data: pd.DataFrame, metrics: list[tuple[str, str]]) -> pd.DataFrame:
    def column(name: str, scale: float = 1.0, with_plus: bool = False, digits: int = 2) -> list[str]:
        pairs = zip(data[f"{name}_mean"], data[f"{name}_sd"], strict=True)
        return [mean_sd(mean, sd, scale, with_plus, digits) for mean, sd in pairs]

    columns = {
        "Method": list(map(method_label, data["method"])),
        "Regularizer": list(map(regularizer_label, data["regularizer"])),
    }
    for name, heading in (("learning_rate", "Rate"), ("strength", "λ")):
        pairs = zip(data[name], data[f"{name}_at_grid_end"], strict=True)
        columns[heading] = ["–" if pd.isna(value) else f"{value:g}{'†' * at_end}" for value, at_end in pairs]
    for task, name in metrics:
        metric = metric_named(name)
        arrow = "↑" if metric.higher_is_better else "↓"
        columns[f"{task}: {metric.heading} {arrow}"] = column(f"{task}_{name}", metric.scale)
    columns["Δm (%) ↑"] = column(DELTA, with_plus=True)
    columns["Δm (%), best val. epoch"] = column(DELTA_BEST, with_plus=True)
    columns |= {heading: column(name, digits=3) for name, heading in IN_TEXT.items() if f"{name}_mean" in data}
    columns["Mean ‖z‖"] = column(NORM)
    columns["n"] = [
        f"{collapsed} of {n} collapsed" if collapsed else str(n)
        for n, collapsed in zip(data["n"], data["collapsed"], strict=True)
    ]
    return pd.DataFrame(columns)


def _title(scope: Scope) -> str:
    labels = " and ".join(dict.fromkeys(metric_named(metric).label for metric in scope.primary_metrics().values()))
    return (
        f"Test {labels} of each task and Δm for every method, without and with a regularizer "
        f"(data set {scope.dataset}, architecture {scope.encoder})."
    )


def _notes(scope: Scope, data: pd.DataFrame) -> list[str]:
    counts = sorted(set(data["n"]))
    seeds = f"n = {counts[0]} runs" if len(counts) == 1 else "n runs (last column)"
    notes = [
        f"Cells: mean ± standard deviation over {seeds} with different seeds, test split, last epoch. "
        "± is the spread of runs, neither a test nor a confidence interval.",
        "Δm: mean over tasks of the relative change of the task's metric, in percent, against the mean of the "
        "single-task runs (STL) of this table, signed so that higher is better; computed for each run, then averaged. "
        "For STL itself it is the spread of its runs around their mean.",
        "Δm, best val. epoch: the same at each run's epoch of best validation metric (STL too), for comparison only.",
        "Mean ‖z‖: mean norm of the shared representation over test samples; for STL, of its separate "
        "representations joined.",
        *universality_notes(scope),
        _regularizer_note(set(data["regularizer"])),
        *tuning_notes(scope),
        *trained_out_note(scope),
        _settings_note(scope),
    ]
    if data["collapsed"].any():
        notes.append(
            f"Collapsed: a run with a task more than {COLLAPSE:.0%} worse than the mean of the single-task runs; means "
            "are over the others."
        )
    if data[["learning_rate_at_grid_end", "strength_at_grid_end"]].any(axis=None):
        notes.append("†: an end of all that was tried; a better one may lie outside.")
    return notes


def _settings_note(scope: Scope) -> str:
    """Model, optimisation and machine, as far as all runs have them in common."""
    entry = next(iter(scope.runs.values()))
    training = {name: value for name, value in entry["training"].items() if name != "trained_out"}
    return f"Model: {_words(entry['architecture'])}. Training: {_words(training)}."


def _words(block: dict[str, Any]) -> str:
    """A configuration block's settings, without those that switch something off."""
    parts = []
    for name, value in block.items():
        shown = f"({_words(value)})" if isinstance(value, dict) else "" if value is True else str(value)
        if value not in (None, False, 0, [], "none", *NEUTRAL):
            parts.append(f"{READERS_WORDS.get(name, name).replace('_', ' ')} {shown}".rstrip())
    return ", ".join(parts)


def _regularizer_note(present: set[str]) -> str:
    listed = [name for name in KNOWN_REGULARIZERS.in_order() if name in present]
    what = {name: KNOWN_REGULARIZERS.declared(name, "CONTROL") for name in listed}
    controls = [f"{regularizer_label(name)} ({text})" for name, text in what.items() if text]
    text = "Regularizers: + DGR is Dummy Gradient norm Regularization"
    if controls:
        text += f"; {', '.join(controls)} {'is the control' if len(controls) == 1 else 'are controls'}"
    return f"{text}; λ is the strength of each."
