"""Universality in the main tables: all measures in the CSV file, the loss of refitted heads in the text."""

from __future__ import annotations

import pandas as pd

from dgr.measurements.universality_settings import BATCH, BRIEF_HEADS, LABEL_COUNTS, REFIT_SAMPLES, STEPS
from dgr.records.names import task_label
from dgr.records.outcomes import UNIVERSALITY, Tasks, mean_over_tasks
from dgr.records.scope import Scope

_KINDS: tuple[Tasks, ...] = ("trained", "new")
IN_TEXT = {"refitted_loss_trained": "Refitted loss ↓", "refitted_loss_new": "Refitted loss, new tasks ↓"}
"""Columns of the text and what they are called there."""


def universality_columns(scope: Scope) -> dict[str, pd.Series]:
    """Each measure, mean over the tasks that were trained on and over those that were not, by the column's name."""
    trained = set(scope.primary_metrics())
    columns = {}
    for measure in UNIVERSALITY:
        by_task = scope.last_universality(measure)
        for kind in _KINDS:
            if kind == "trained" or set(by_task.columns) - trained:
                columns[f"{measure}_{kind}"] = mean_over_tasks(by_task, trained, kind)
    return columns


def universality_notes(scope: Scope) -> list[str]:
    """What the columns are, as sentences; none where nothing was probed."""
    if not scope.probes:
        return []
    draws = ", ".join(map(str, sorted({entry["draws"] for entry in scope.probes.values()})))
    tasks = scope.last_universality("refitted_loss").columns
    new = [task_label(task) for task in tasks if task not in scope.primary_metrics()]
    labels, steps = (", ".join(map(str, counts)) for counts in (LABEL_COUNTS, STEPS))
    return [
        "Refitted loss: how universal a representation is, as test loss in nats of a new head, fitted to the frozen "
        f"representation of at most {REFIT_SAMPLES:,} training samples; mean over the trained tasks"
        + (f", and over tasks that no head was trained on ({'; '.join(new)})" if new else "")
        + ". Lower is better. The representation's mean and size are taken out first. For STL a head of a trained task "
        "sees that task's representation, one of a new task all of them.",
        f"The CSV file has three more such losses: label_area of heads fitted to {labels} labels, mean over the "
        f"logarithm of their number; step_area of {BRIEF_HEADS} heads after {steps} steps of gradient descent on "
        f"{BATCH} samples, likewise; tempered_loss of {draws} untrained heads, each at its best temperature, which is "
        "closest to the paper's abstract (its own formula was not available) and nearly the loss of guessing for every "
        "representation.",
    ]
