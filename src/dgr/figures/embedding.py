"""F1: test representations in the plane, without and with DGR, coloured by the label of each task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.core.task import VOID
from dgr.figures.shared.style import PAGE_WIDTH, RC, Drawing
from dgr.records.csv_files import read_frame
from dgr.records.names import method_label, regularizer_label
from dgr.records.records import configured_measurements
from dgr.records.scope import Scope

NAMES = ("F1",)
PALETTE = [
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9"),
    *("#D55E00", "#000000", "#999999", "#8C6D1F", "#5E3C99"),
]
"""Okabe and Ito's colours with grey, brown and violet; ten classes are more than colour alone can tell apart, hence the
direct labels."""
COORDINATES = ["regularizer", "x", "y"]


def build(scope: Scope) -> Drawing:
    """One row a task, one column a run; each class is also named where it lies densest.

    Raises:
        DGRError: nothing was embedded, or the file is not the configured one.
    """
    key, entry = _entry(scope)
    frame = _read(paths.records_folder(scope.suite) / "embedding.csv", key, entry)
    tasks = [str(name) for name in frame if name not in COORDINATES]
    columns = {name: frame[frame["regularizer"] == name] for name in dict.fromkeys(frame["regularizer"].astype(str))}
    method = method_label(scope.runs[entry["plain"]]["method"]["name"])
    with sns.axes_style("white", rc=RC), sns.plotting_context("paper", rc=RC):
        height = (0.15 + PAGE_WIDTH / len(columns)) * len(tasks)
        figure = Figure(figsize=(PAGE_WIDTH, height), layout="constrained")
        axes = figure.subplots(len(tasks), len(columns), squeeze=False)
        for row, task in zip(axes, tasks, strict=True):
            for axis, (name, part) in zip(row, columns.items(), strict=True):
                _draw(axis, part, task)
                label = method if name == "none" else f"{method} {regularizer_label(name)}"
                axis.set_title(f"{label}: coloured by the {task} label")
    return Drawing(figure, _caption(scope, entry, method, tasks))


def _draw(axis: Axes, part: pd.DataFrame, task: str) -> None:
    known = part[part[task] != VOID]
    colours = [PALETTE[label % len(PALETTE)] for label in known[task]]
    axis.scatter(known["x"], known["y"], s=5, c=colours, linewidth=0, alpha=0.75)
    halo: Any = [effects.withStroke(linewidth=2.2, foreground="white")]
    for label in sorted(set(known[task])):
        x, y = densest(known.loc[known[task] == label, ["x", "y"]].to_numpy())
        look: dict[str, Any] = {"color": PALETTE[label % len(PALETTE)], "weight": "bold", "size": 12}
        axis.text(x, y, str(label), ha="center", va="center", path_effects=halo, **look)
    centre, half = (part[["x", "y"]].max() + part[["x", "y"]].min()) / 2, np.ptp(part[["x", "y"]], axis=0).max() / 2
    limits = {f"{name}lim": (centre[name] - 1.04 * half, centre[name] + 1.04 * half) for name in ("x", "y")}
    axis.set(xticks=[], yticks=[], xlabel="", ylabel="", aspect="equal", **limits)


def densest(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The place, shape ``(2,)``, among places of shape ``(n, 2)`` around which most of the others lie."""
    distances = np.sort(np.linalg.norm(places[:, None] - places, axis=2), axis=1)
    # The smallest circle around a place that holds a quarter of all.
    return np.asarray(places[np.argmin(distances[:, (len(places) - 1) // 4])])


def _entry(scope: Scope) -> tuple[str, dict[str, Any]]:
    entries = configured_measurements(read_plan(), "embeddings", scope.suite)
    found = [key for key, entry in entries.items() if {entry["plain"], entry["regularized"]} <= set(scope.runs)]
    if len(found) != 1:
        raise DGRError(f"{scope.name} needs one embedding of two runs in scope, but {len(found)} are configured.")
    return found[0], entries[found[0]]


def _read(path: Path, key: str, entry: dict[str, Any]) -> pd.DataFrame:
    remedy = (
        f"make it with `python -m dgr embed {key}` and `python -m dgr collect {entry['suite']}`, "
        "or all that is missing with `snakemake --cores all`"
    )
    frame = read_frame(path, remedy, keep_default_na=False)
    wanted = {entry[run].rpartition("-")[2]: entry["samples"] for run in ("plain", "regularized")}
    if list(frame)[:3] != COORDINATES or frame["regularizer"].value_counts().to_dict() != wanted:
        raise DGRError(f"{path} does not hold the configured {entry['samples']} samples of both runs; {remedy}.")
    return frame


def _caption(scope: Scope, entry: dict[str, Any], method: str, tasks: list[str]) -> str:
    return (
        f"Data set {scope.dataset}, architecture {scope.encoder}: t-SNE of the representations of the same "
        f"{entry['samples']} test samples, {method} without (left) and with DGR (right), seed {entry['seed']} for "
        f"both; one row a task ({', '.join(tasks)}). Settings of both: perplexity {entry['perplexity']:g}, Euclidean "
        "distances of z as it is, start from the principal components, scikit-learn's defaults otherwise, random state "
        f"{entry['seed']}. Numbers name their class where it lies densest. t-SNE keeps neighbourhoods, neither "
        "distances nor the size of clusters nor ‖z‖; this is one run of each, an illustration and no evidence."
    )
