"""T5: seconds and peak memory of a training step, every method without and with DGR."""

from __future__ import annotations

import itertools

import pandas as pd

from dgr.config.runs import RELEASED
from dgr.core.errors import DGRError
from dgr.records.names import KNOWN_REGULARIZERS, method_label, regularizer_label
from dgr.records.scope import Scope
from dgr.records.step_costs import CONFIDENCE, step_costs
from dgr.tables.shared.rendering import Table

NAMES = ("T5",)


def build(scope: Scope) -> Table:
    """One row a method, regularizer and number of dummy sets.

    Raises:
        DGRError: no costs were measured, or not those of a method alone.
    """
    if scope.records.costs.empty:
        raise DGRError(f"{scope.name} needs measured costs; add a file of kind 'cost' to the configuration.")
    costs = step_costs(scope.records.costs)
    methods, procedures = list(dict.fromkeys(costs["method"])), [*KNOWN_REGULARIZERS.in_order(), RELEASED]
    if unnamed := sorted(set(costs["regularizer"]) - set(procedures)):
        raise DGRError(f"{scope.name} has costs with {', '.join(unnamed)}, which has no label.")
    order = {cell: index for index, cell in enumerate(itertools.product(methods, procedures))}
    places = [order[cell] for cell in zip(costs["method"], costs["regularizer"], strict=True)]
    costs = costs.assign(order=places).sort_values(["order", "num_dummies"], ignore_index=True).drop(columns="order")
    return Table(
        data=costs,
        text=_text(costs),
        groups=[methods.index(method) for method in costs["method"]],
        title=f"Cost of one training step of every method, without and with DGR "
        f"(data set {scope.dataset}, architecture {scope.encoder}).",
        notes=_notes(costs),
        records=[list(scope.costs)] * len(costs),
    )


def _text(costs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Method": list(map(method_label, costs["method"])),
            "Regularizer": list(map(regularizer_label, costs["regularizer"])),
            "N": [f"{number:.0f}" if number > 0 else "–" for number in costs["num_dummies"]],
            "Time (ms) ↓": [f"{1000 * seconds:.1f}" for seconds in costs["seconds_per_step"]],
            "Time / EW": [f"{ratio:.2f}" for ratio in costs["ratio"]],
            "Time / method alone": [
                "1" if name == "none" else f"{ratio:.2f} [{low:.2f}, {high:.2f}]"
                for name, ratio, low, high in zip(
                    costs["regularizer"], costs["ratio_to_method"], costs["ratio_low"], costs["ratio_high"], strict=True
                )
            ],
            "Peak memory (MB) ↓": ["–" if pd.isna(peak) else f"{peak:.1f}" for peak in costs["peak_memory_mb"]],
        }
    )


def _notes(costs: pd.DataFrame) -> list[str]:
    device, threads, rounds = str(costs["device"].iloc[0]), int(costs["threads"].iloc[0]), int(costs["rounds"].iloc[0])
    on_cpu = device.startswith("cpu")
    clock = (
        "processor time of the process, so that waiting for other jobs does not count"
        if on_cpu
        else "wall time between synchronisations of the GPU"
    )
    threads_text = f", {threads} thread{'s' * (threads > 1)}" if on_cpu else ""
    notes = [
        f"Measured on {device}{threads_text}. Time: median of one whole step (zero gradients, forward, penalty, "
        f"backward, optimizer) over {rounds} rounds, {clock}. In a round all rows take turns in one process, those of "
        "a method one after another, in random order.",
        "Time / EW: against equal weighting alone; Time / method alone: against the row's own method without a "
        "regularizer; medians of the ratios within a round, the latter with an interval of order statistics at "
        f"{CONFIDENCE:.0%}. N: number of dummy sets. On another machine ratios differ by more than these intervals.",
        "Peak memory: the most bytes of tensors alive at once during a step, with weights, optimizer state and dummy "
        "heads, as torch's allocator counts them; what libraries hold inside an operation is not seen.",
    ]
    if RELEASED in set(costs["regularizer"]):
        notes.append(
            "+ DGR as released: the procedure of the authors' code, written anew from its description: finite "
            "differences, with the batch sent through the encoder again for each dummy set, dummies moved in place and "
            "a four-term expansion; the fewest passes it can do with, hence a lower bound."
        )
    return notes
