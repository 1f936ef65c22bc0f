"""F4: mean ranks of all methods over seeds, and which of them the data tell apart."""

from __future__ import annotations

import pandas as pd
import scikit_posthocs
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from dgr.comparison import ALPHA
from dgr.comparison.ranking import Ranking, rank_cells
from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.style import COLOURS, LABELS, PAGE_WIDTH, RC, Drawing
from dgr.records.names import method_label, regularizer_label
from dgr.records.outcomes import delta_m_per_run
from dgr.records.scope import CELL, Scope

NAMES = ("F4",)
SHOWN = ("none", "dgr")
"""Each further arm would widen the critical difference of all; T7 tests DGR against its controls."""


def build(scope: Scope) -> Drawing:
    """Critical-difference diagram of Δm; a block is a seed.

    Raises:
        DGRError: fewer than three cells, NaN, or single-task learning was not run.
    """
    cells = [cell for cell in scope.cells() if cell[1] in SHOWN]
    values = delta_m_per_run(scope.records.runs).unstack(CELL)[cells]
    ranking = rank_cells(values, ALPHA)
    with sns.axes_style("white", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = _draw(ranking, cells)
    return Drawing(figure, _caption(scope, ranking))


def _draw(ranking: Ranking, cells: list[tuple[str, str]]) -> Figure:
    # Numbers for names: the library keeps sets of them, and the order of sets of strings differs between processes.
    numbers = pd.RangeIndex(len(cells))
    ranks = pd.Series(ranking.ranks.to_numpy(), index=numbers)
    told_apart = ranking.nemenyi_p.to_numpy() if ranking.friedman_p < ALPHA else 1.0
    present = [name for name in SHOWN if any(name == regularizer for _, regularizer in cells)]
    figure = Figure(figsize=(PAGE_WIDTH, 1.3 + 0.11 * len(cells)), layout="constrained")
    axis = figure.subplots()
    artists = scikit_posthocs.critical_difference_diagram(
        ranks,
        pd.DataFrame(told_apart, index=numbers, columns=numbers),
        alpha=ALPHA,
        ax=axis,
        hue={number: regularizer for number, (_, regularizer) in enumerate(cells)},
        hue_order=present,
        color_palette={name: COLOURS[name] for name in present},
        label_fmt_left="{label}",
        label_fmt_right="{label}",
        label_props={"fontsize": 7.5},
        elbow_props={"linewidth": 0.7},
        marker_props={"s": 12},
        crossbar_props={"linewidth": 2.2, "color": "0.35"},
        text_h_margin=0.02 * len(cells),
    )
    for label in artists["labels"]:
        number = int(label.get_text())
        method, regularizer = cells[number]
        name = " ".join([method_label(method), *([] if regularizer == "none" else [regularizer_label(regularizer)])])
        texts = (name, f"({ranks[number]:.1f})")
        label.set_text(" ".join(texts if label.get_horizontalalignment() == "right" else texts[::-1]))
    step = 1 if len(cells) <= 10 else 5
    axis.xaxis.set_major_locator(FixedLocator(sorted({1, *range(step, len(cells) + 1, step)})))
    _mark_difference(axis, ranking)
    axis.set_xlabel("mean rank of Δm over seeds (1 is best)")
    axis.xaxis.set_label_position("top")
    handles: list[Artist] = [Line2D([], [], color=COLOURS[name], label=LABELS[name]) for name in present]
    handles.append(Line2D([], [], color="0.35", linewidth=2.2, label="not told apart"))
    fitted_legend(figure, handles, len(handles), loc="outside lower center")
    return figure


def _mark_difference(axis: Axes, ranking: Ranking) -> None:
    """How far apart mean ranks must lie to be told apart, as a line of that length below."""
    if ranking.blocks > 1:
        low, above = float(ranking.ranks.min()), axis.get_xaxis_transform()
        ends = [low, low + ranking.critical_difference]
        axis.plot(
            ends, [-0.09, -0.09], transform=above, color="0.2", linewidth=1.1, marker="|", markersize=5, clip_on=False
        )
        text = f"critical difference {ranking.critical_difference:.1f}"
        axis.text(ends[1], -0.09, f"  {text}", transform=above, va="center", ha="left", fontsize=7)


def _caption(scope: Scope, ranking: Ranking) -> str:
    cells, blocks = len(ranking.ranks), ranking.blocks
    if blocks == 1:
        test = "A single seed allows no test, so nothing is told apart."
    elif ranking.friedman_p >= ALPHA:
        test = f"Friedman's test does not reject equality (p = {ranking.friedman_p:.2g}), so nothing is told apart."
    else:
        test = (
            f"Friedman's test rejects equality (p = {ranking.friedman_p:.2g}); bars join what Nemenyi's test at "
            f"{ALPHA:g}, family-wise over all pairs, does not tell apart."
        )
    difference = (
        f" Mean ranks must differ by {ranking.critical_difference:.1f} for that: with {cells} cells and n = {blocks} "
        "only large differences show here; T7 tests the planned ones."
    ) * (blocks > 1)
    return (
        f"Data set {scope.dataset}, architecture {scope.encoder}: mean rank of Δm (test, last epoch) over "
        f"n = {blocks} seeds, for {cells} cells: methods without and with a regularizer. A block is a seed: tasks of "
        f"one seed share an encoder and are averaged in Δm, not counted as blocks. {test}{difference}"
    )
