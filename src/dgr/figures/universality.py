"""F2: universality over training, as the paper defines it and with the size of the representation taken out."""

from __future__ import annotations

import math

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dgr.core.errors import DGRError
from dgr.figures.shared.curves import LEVEL, band_handle, draw_lines, line_handles
from dgr.figures.shared.style import PAGE_WIDTH, RC, Drawing
from dgr.records.names import method_label
from dgr.records.scope import CELL, Scope

NAMES = ("F2",)
PANELS = {
    "gap": "gap: untrained − refitted (nats)",
    "gap_normalized": "gap at equal mean ‖z‖ (nats)",
    "refitted_loss": "loss of the refitted head (nats)",
    "mean_norm": "mean ‖z‖ (log scale)",
}


def build(scope: Scope) -> Drawing:
    """Mean over tasks, with a t-interval of the mean over seeds, of the methods that kept earlier representations.

    Raises:
        DGRError: none did.
    """
    frame = scope.records.universality
    # Of each run by itself: runs of one method may differ in their last epoch without having kept an earlier one.
    epochs = frame.groupby(CELL)["epoch"].nunique().groupby("method").max()
    methods = [method for method in dict.fromkeys(frame["method"]) if epochs[method] > 1]
    if not methods:
        raise DGRError(f"{scope.name} needs representations of several epochs; add 'snapshots' to the configuration.")
    if len(methods) > 1:
        raise DGRError(f"{scope.name} shows one method, but {', '.join(methods)} have snapshots; leave them to one.")
    shown = frame[frame["method"] == methods[0]]
    curves = shown.groupby([*CELL, "seed", "epoch"], sort=False)[list(PANELS)].mean().reset_index()
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = _draw(curves)
    return Drawing(figure, _caption(scope, curves, methods[0]))


def _draw(curves: pd.DataFrame) -> Figure:
    columns = 2
    rows = math.ceil(len(PANELS) / columns)
    figure = Figure(figsize=(PAGE_WIDTH, 0.8 + 2.0 * rows), layout="constrained")
    axes: list[Axes] = list(figure.subplots(rows, columns, sharex=True).flat)
    axes[1].sharey(axes[0])  # on one scale it shows what the size of z makes of the gap
    for axis, (quantity, title) in zip(axes, PANELS.items(), strict=True):
        draw_lines(axis, curves, quantity)
        axis.set(title=title, xlabel="", ylabel="")
        axis.tick_params(labelbottom=True)
    axes[-1].set_yscale("log")
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.supxlabel("epoch (0: untrained encoder)", fontsize=RC["axes.labelsize"])
    handles = line_handles(curves)
    handles.append(band_handle(curves["seed"].nunique()))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, handlelength=3)
    return figure


def _caption(scope: Scope, curves: pd.DataFrame, method: str) -> str:
    draws = ", ".join(map(str, sorted({entry["draws"] for entry in scope.probes.values()})))
    return (
        f"Universality over training, {method_label(method)}, data set {scope.dataset}, architecture "
        f"{scope.encoder}; test split, mean over tasks. Universality is the inverse of the gap between the mean "
        f"loss of {draws} untrained heads and the loss of a refitted head on the frozen representation (after the "
        "paper's abstract; its own formula was not available): a lower gap is a higher universality. The gap falls "
        "with ‖z‖ alone, since an untrained head on a small representation merely guesses; at equal mean ‖z‖ each "
        "representation is rescaled to one norm first, which shrinking cannot change. Lines are means over "
        f"n = {curves['seed'].nunique()} seeds at epochs {', '.join(map(str, sorted(set(curves['epoch']))))}; bands "
        f"are {LEVEL:.0%} t-intervals of the mean, pointwise."
    )
