"""T6: what each setting of DGR, and the strength of its control, does to accuracy and to the size of z."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from dgr.records.names import KNOWN_REGULARIZERS, Metric, method_label
from dgr.records.scope import Scope
from dgr.records.sweep_points import NORM, VALUE, Point, plain_runs, sweep_metric, sweep_points
from dgr.tables.shared.rendering import Table, mean_sd

NAMES = ("T6",)
SWEEP_LABELS = {
    "strength": "DGR",
    "norm_strength": "norm control",
    "estimator": "DGR, estimator",
    "variant": "DGR, variant",
    "normalized": "DGR on z/‖z‖",
}
"""How sweeps are called; one that is not here appears under its configured name."""


def build(scope: Scope) -> Table:
    """One row a point, set apart by sweep, under the plain runs of the same seeds.

    Raises:
        DGRError: there are no sweeps, a point is missing, or the tasks have different metrics.
    """
    metric, points = sweep_metric(scope), sweep_points(scope)
    plain = plain_runs(scope, points)
    keys = {entry["name"]: key for key, entry in scope.sweeps.items()}
    rows = [_numbers(scope, point, plain) for point in points]
    text = [_text(point, row, metric, plain) for point, row in zip(points, rows, strict=True)]
    groups = [1 + list(keys).index(point.sweep) for point in points]
    records = [[keys[point.sweep]] for point in points]
    if plain is not None:
        rows.insert(0, {"sweep": "plain", "settings": "{}", **_summary(plain)})
        text.insert(0, _plain_text(rows[0], metric, plain))
        groups.insert(0, 0)
        records.insert(0, [scope.run_key(points[0].method, "none")])
    return Table(
        data=pd.DataFrame(rows),
        text=pd.DataFrame(text),
        groups=groups,
        title=f"Sensitivity of DGR and of its control: test {metric.label}, mean over tasks, with "
        f"{method_label(points[0].method)} "
        f"(data set {scope.dataset}, architecture {scope.encoder}).",
        notes=_notes(scope, points, plain),
        records=records,
    )


def describe_point(point: Point) -> str:
    """The settings of a point, without what is as usual."""
    parts = [f"{KNOWN_REGULARIZERS.declared(point.regularizer, 'SYMBOL')} = {point.strength:g}"]
    if point.regularizer == "dgr":
        if point.get("estimator") == "finite_difference":
            parts.append(f"FD, ε = {point.get('epsilon'):g}")
        elif "estimator" in point.settings:
            parts.append("exact")
        if point.get("num_dummies") > 1:
            parts.append(f"N = {point.get('num_dummies')}")
        parts += ["resampled"] * point.get("resample") + ["plain norm"] * (point.get("norm") == "plain")
        parts += ["one norm a task"] * point.get("per_task")
    if "activation" in point.settings:
        parts.append({"relu": "ReLU", "gelu": "GELU"}[point.activation] + " heads")
    return ", ".join(parts)


def _numbers(scope: Scope, point: Point, plain: pd.DataFrame | None) -> dict[str, Any]:
    row = {"sweep": point.sweep, "settings": point.settings, **_summary(point.runs)}
    if plain is not None:
        difference = point.runs[VALUE] - plain[VALUE]
        row |= {"difference_mean": float(difference.mean()), "difference_sd": float(difference.std(ddof=1))}
    trained = point.agreement[point.agreement["epoch"] > 0]
    return row | {name: float(trained[name].mean()) for name in ("cosine", "norm_ratio")}


def _summary(runs: pd.DataFrame) -> dict[str, Any]:
    statistics = {f"{name}_{kind}": float(getattr(runs[name], kind)()) for name in runs for kind in ("mean", "std")}
    return {name.replace("_std", "_sd"): value for name, value in statistics.items()} | {"n": len(runs)}


def _text(point: Point, row: dict[str, Any], metric: Metric, plain: pd.DataFrame | None) -> dict[str, str]:
    cells = {
        "Study": SWEEP_LABELS.get(point.sweep, point.sweep),
        "Setting": describe_point(point),
        **_measured(row, metric),
    }
    if plain is not None:
        cells["vs. plain"] = mean_sd(row["difference_mean"], row["difference_sd"], metric.scale, with_plus=True)
    cells["Mean ‖z‖"] = mean_sd(row[f"{NORM}_mean"], row[f"{NORM}_sd"])
    none = math.isnan(row["cosine"])
    cells["Cosine"] = "" if none else f"{row['cosine']:.2f}"
    cells["Ratio"] = "" if none else f"{row['norm_ratio']:.2f}"
    return cells | {"n": str(row["n"])}


def _plain_text(row: dict[str, Any], metric: Metric, plain: pd.DataFrame) -> dict[str, str]:
    cells = {"Study": "no regularizer", "Setting": "as in T1", **_measured(row, metric), "vs. plain": ""}
    norm = mean_sd(row[f"{NORM}_mean"], row[f"{NORM}_sd"])
    return cells | {"Mean ‖z‖": norm, "Cosine": "", "Ratio": "", "n": str(row["n"])}


def _measured(row: dict[str, Any], metric: Metric) -> dict[str, str]:
    arrow = "↑" if metric.higher_is_better else "↓"
    value = mean_sd(row[f"{VALUE}_mean"], row[f"{VALUE}_sd"], metric.scale)
    return {f"{metric.heading.capitalize()} {arrow}": value}


def _notes(scope: Scope, points: list[Point], plain: pd.DataFrame | None) -> list[str]:
    seeds = ", ".join(map(str, points[0].runs.index))
    method = method_label(points[0].method)
    notes = [
        f"One method ({method}) and few seeds ({seeds}): this shows how sensitive the outcome is; no test is made and "
        "nothing is chosen from it. Cells: mean ± standard deviation over n seeds, test split, last epoch.",
        "Unless a row says otherwise: squared joint norm, one fixed set of dummy heads (N = 1), exact gradient, "
        "heads with ReLU. For the exact squared norm, one norm a task is the same penalty as the joint norm.",
        f"norm control: {KNOWN_REGULARIZERS.declared('norm', 'CONTROL')}, with strength β. "
        "z/‖z‖: every representation is scaled to the same norm, so that it cannot shrink; λ = 0 is its plain run.",
        "FD: the gradient ∂R/∂z by finite differences with step ε. Cosine and Ratio: its cosine with the exact "
        "gradient and the ratio of their norms (FD over exact), on one fixed training batch; mean over seeds and "
        "the ends of all epochs. With kinked heads and a tiny ε most steps cross no kink and agree, and a few that do "
        "are many times too long.",
    ]
    if plain is not None:
        notes.append(
            "vs. plain: difference, in points, to the runs without regularizer of the same seeds; they have ReLU heads "
            "and no scaling of z."
        )
    return notes
