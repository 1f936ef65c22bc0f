"""T1, T2 and T3: test metrics of each task and Δm, every method without and with its regularizers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dgr.core.errors import DGRError
from dgr.records.names import (
    KNOWN_REGULARIZERS,
    RULES,
    method_label,
    metric_named,
    regularizer_label,
)
from dgr.records.rows import REPRESENTATION
from dgr.records.scope import CELL, Scope
from dgr.records.sweep_points import NORM
from dgr.tables.shared.rendering import Table, mean_sd
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
    runs = dict(iter(_runs(scope, metrics).groupby(level=CELL)))
    strengths = dict(iter(scope.records.provenance.groupby(CELL)["strength"]))
    rows = []
    for cell in scope.cells():
        if strengths[cell].nunique(dropna=False) != 1:
            raise DGRError(f"Seeds of {', '.join(cell)} have different strengths; train this run again.")
        strength = float(strengths[cell].iloc[0])
        row: dict[str, Any] = dict(zip(CELL, cell, strict=True)) | {"strength": strength, "n": len(runs[cell])}
        for name, values in runs[cell].items():
            row |= {f"{name}_mean": values.mean(skipna=False), f"{name}_sd": values.std(ddof=1, skipna=False)}
        row["strength_at_grid_end"] = _at_grid_end(scope, cell, strength)
        rows.append({"dataset": scope.dataset, "architecture": scope.architecture, **row})
    return pd.DataFrame(rows)


def _at_grid_end(scope: Scope, cell: tuple[str, str], strength: float) -> bool:
    grid = scope.tuning.get(scope.run_key(*cell), {"grid": []})["grid"]
    return bool(grid) and strength in (min(grid), max(grid))


def _text(data: pd.DataFrame, metrics: list[tuple[str, str]]) -> pd.DataFrame:
    def column(name: str, scale: float = 1.0, with_plus: bool = False, digits: int = 2) -> list[str]:
        pairs = zip(data[f"{name}_mean"], data[f"{name}_sd"], strict=True)
        return [mean_sd(mean, sd, scale, with_plus, digits) for mean, sd in pairs]

    columns = {
        "Method": list(map(method_label, data["method"])),
        "Regularizer": list(map(regularizer_label, data["regularizer"])),
        "λ": [
            "–" if pd.isna(strength) else f"{strength:g}{'†' * at_end}"
            for strength, at_end in zip(data["strength"], data["strength_at_grid_end"], strict=True)
        ],
    }
    for task, name in metrics:
        metric = metric_named(name)
        arrow = "↑" if metric.higher_is_better else "↓"
        columns[f"{task}: {metric.heading} {arrow}"] = column(f"{task}_{name}", metric.scale)
    columns["Δm (%) ↑"] = column(DELTA, with_plus=True)
    columns["Δm (%), best val. epoch"] = column(DELTA_BEST, with_plus=True)
    columns |= {heading: column(name, digits=3) for name, heading in IN_TEXT.items() if f"{name}_mean" in data}
    columns["Mean ‖z‖"] = column(NORM)
    columns["n"] = list(map(str, data["n"]))
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
        "For STL it is 0 by construction, with the spread of its runs.",
        "Δm, best val. epoch: the same at each run's epoch of best validation metric (STL too), for comparison only.",
        "Mean ‖z‖: mean norm of the shared representation over test samples; for STL, of its separate "
        "representations joined.",
        *universality_notes(scope),
        _regularizer_note(set(data["regularizer"])),
        *_tuning_notes(scope),
        _settings_note(scope),
    ]
    if data["strength_at_grid_end"].any():
        notes.append("†: λ is an end of its grid; a better one may lie outside.")
    return notes


def _settings_note(scope: Scope) -> str:
    """Model, optimisation and machine, as far as all runs have them in common."""
    entry = next(iter(scope.runs.values()))
    return f"Model: {_words(entry['architecture'])}. Training: {_words(entry['training'])}."


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


def _tuning_notes(scope: Scope) -> list[str]:
    """How λ was selected, once for all cells that were tuned alike."""
    ways: dict[tuple[str, str, str], list[str]] = {}
    for key, tuning in scope.tuning.items():
        grid = ", ".join(f"{strength:g}" for strength in tuning["grid"])
        seeds = ", ".join(map(str, tuning["seeds"]))
        label = regularizer_label(scope.runs[key]["regularizer"]["name"])
        ways.setdefault((grid, seeds, RULES[tuning["rule"]]), []).append(label)
    return [
        f"Selection of λ for {' and '.join(dict.fromkeys(labels))}: for each method, from {{{grid}}}, on the "
        f"validation split alone and on seeds {seeds}, which are not reported; rule: {rule}."
        for (grid, seeds, rule), labels in ways.items()
    ]
