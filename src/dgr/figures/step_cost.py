"""F6: seconds of a training step of every method, alone and with what is added to it."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from dgr.config.runs import RELEASED
from dgr.core.errors import DGRError
from dgr.figures.shared.legend import fitted_legend
from dgr.figures.shared.style import COLOURS, MARKERS, PAGE_WIDTH, RC, REFERENCE_LINE, Drawing
from dgr.records.names import method_label, regularizer_label
from dgr.records.scope import Scope
from dgr.records.step_costs import step_costs

NAMES = ("F6",)


def build(scope: Scope) -> Drawing:
    """One line a method; a mark a regularizer and number of dummy sets, at the step's time over that of plain EW.

    Raises:
        DGRError: no costs were measured.
    """
    if scope.records.costs.empty:
        raise DGRError(f"{scope.name} needs measured costs; add a file of kind 'cost' to the configuration.")
    costs = step_costs(scope.records.costs)
    methods = list(dict.fromkeys(costs["method"]))
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = Figure(figsize=(PAGE_WIDTH, 0.9 + 0.22 * len(methods)), layout="constrained")
        axis = figure.subplots()
        axis.axvline(1.0, zorder=1, **REFERENCE_LINE)
        kinds = costs[["regularizer", "num_dummies"]].drop_duplicates().itertuples(index=False, name=None)
        for name, number in kinds:
            rows = costs[(costs["regularizer"] == name) & (costs["num_dummies"] == number)]
            drawn_as = "dgr" if name == RELEASED else name
            face = COLOURS[drawn_as] if number <= 1 else "none"
            axis.plot(
                rows["ratio"],
                [methods.index(method) for method in rows["method"]],
                label=_label(name, number),
                color=COLOURS[drawn_as],
                marker="*" if name == RELEASED else MARKERS[drawn_as],
                markerfacecolor=face,
                markersize=7 if name == RELEASED else 5,
                linestyle="none",
            )
        axis.set(xscale="log", xlabel="time of a step / time of a step of equal weighting alone")
        ticks = [tick for tick in (0.5, 1, 2, 5, 10, 20, 50) if tick <= 1.3 * costs["ratio"].max()]
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.xaxis.minorticks_off()
        axis.set_yticks(range(len(methods)), list(map(method_label, methods)))
        axis.invert_yaxis()
        fitted_legend(figure, axis.lines[1:], 4, loc="outside lower center", fontsize=6.5)
    return Drawing(figure, _caption(scope, costs))


def _label(regularizer: str, number: int) -> str:
    text = "alone" if regularizer == "none" else regularizer_label(regularizer)
    return f"{text}, N = {number}" if number else text


def _caption(scope: Scope, costs: pd.DataFrame) -> str:
    plain = costs[(costs["method"] == "equal_weighting") & (costs["regularizer"] == "none")]
    base = 1000 * float(plain["seconds_per_step"].iloc[0])
    return (
        f"Data set {scope.dataset}, architecture {scope.encoder}, measured on {costs['device'].iloc[0]}: median time "
        f"of one whole training step over that of equal weighting alone ({base:.1f} ms), on a logarithmic axis. N: "
        "number of dummy sets. As released: the procedure of the authors' code. Medians of the ratios within a round, "
        f"over {int(costs['rounds'].iloc[0])} rounds on one machine."
    )
