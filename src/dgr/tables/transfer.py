"""T4: how well other classifiers do on the frozen representations, also on a task that nobody trained them for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from dgr.core.errors import DGRError
from dgr.datasets.unseen import unseen_task
from dgr.records.names import (
    KNOWN_CLASSIFIERS,
    classifier_label,
    method_label,
    metric_named,
    regularizer_label,
    task_label,
)
from dgr.records.outcomes import mean_over_tasks
from dgr.records.rows import REPRESENTATION
from dgr.records.scope import CELL, Scope
from dgr.tables.shared.rendering import Table, mean_sd

NAMES = ("T4",)
MAJORITY, UNTRAINED = "majority", "untrained"
BASELINES = {MAJORITY: "Majority class", "pixels": "Raw pixels"}
ACCURACY = metric_named("accuracy")


class Block(NamedTuple):
    """One row of the table: accuracies of one row a seed, one column a (task, classifier), and the records' keys."""

    label: str
    given: str
    method: str | None
    regularizer: str | None
    values: pd.DataFrame
    records: list[str]


def build(scope: Scope) -> Table:
    """Mean and standard deviation over seeds; baselines first, then one row a method and regularizer.

    The text shows means over classifiers for each trained task and for all new tasks together, and over the trained
    tasks for each classifier; the CSV file has every task and classifier as well.

    Raises:
        DGRError: there are no probes, some are missing, or a classifier has no file.
    """
    if not scope.probes:
        raise DGRError(f"{scope.name} needs probes; add a block 'probes' to the suite's configuration of runs.")
    blocks = list(_blocks(scope))
    classifiers = _classifiers(blocks)
    trained = list(scope.primary_metrics())
    labels = list(dict.fromkeys(block.label for block in blocks))
    first = next(index for index, block in enumerate(blocks) if block.given == REPRESENTATION)
    return Table(
        data=pd.DataFrame([_numbers(scope, block, trained) for block in blocks]),
        text=pd.DataFrame([_text(block, trained, _tasks(blocks), classifiers) for block in blocks]),
        groups=[0 if i < first else 1 + labels.index(block.label) for i, block in enumerate(blocks)],
        title=f"Transfer: balanced test accuracy (%) of classifiers fitted to frozen representations "
        f"(data set {scope.dataset}, architecture {scope.encoder}).",
        notes=_notes(scope, blocks, trained, classifiers),
        records=[block.records for block in blocks],
    )


def _blocks(scope: Scope) -> Iterator[Block]:
    probes = scope.records.probes
    for given, label in BASELINES.items():
        rows = probes[probes["given"] == given].assign(row=0)
        if len(rows):
            values = rows.pivot(index="row", columns=["task", "classifier"], values="value")
            yield Block(label, given, None, None, values, list(scope.baselines))
    untrained = scope.probe_accuracies(UNTRAINED)
    if len(untrained):
        keys = [scope.run_key(*cell) for cell in dict.fromkeys(index[:2] for index in untrained.index)]
        yield Block("Untrained encoder", UNTRAINED, None, None, untrained, keys)
    cells = dict(iter(scope.probe_accuracies(REPRESENTATION).groupby(level=CELL)))
    for method, regularizer in scope.cells():
        if (method, regularizer) in cells:
            keys = [scope.run_key(method, regularizer)]
            values = cells[method, regularizer]
            yield Block(method_label(method), REPRESENTATION, method, regularizer, values, keys)


def _columns(block: Block) -> list[tuple[str, str]]:
    tasks, classifiers = (block.values.columns.get_level_values(level) for level in ("task", "classifier"))
    return list(zip(map(str, tasks), map(str, classifiers), strict=True))


def _tasks(blocks: list[Block]) -> list[str]:
    return list(dict.fromkeys(task for block in blocks for task, _ in _columns(block)))


def _classifiers(blocks: list[Block]) -> list[str]:
    """All that were fitted, in the order in which readers meet them."""
    fitted = {name for block in blocks for _, name in _columns(block) if block.given != MAJORITY}
    for name in fitted:
        KNOWN_CLASSIFIERS.check(name)
    return [name for name in KNOWN_CLASSIFIERS.in_order() if name in fitted]


def _of_task(block: Block, task: str) -> pd.Series:
    """Mean over classifiers, one value a seed."""
    return block.values[[column for column in _columns(block) if column[0] == task]].mean(axis=1)


def _of_new_tasks(block: Block, trained: list[str]) -> pd.Series:
    """Mean over the tasks that no head was trained on and over classifiers, one value a seed."""
    return block.values[[column for column in _columns(block) if column[0] not in trained]].mean(axis=1)


def _by_classifier(block: Block, trained: list[str]) -> pd.DataFrame:
    """Mean over the trained tasks, one row a seed, one column a classifier."""
    return pd.DataFrame(mean_over_tasks(block.values, set(trained), "trained").unstack("classifier"))


def _numbers(scope: Scope, block: Block, trained: list[str]) -> dict[str, Any]:
    by_classifier = _by_classifier(block, trained)
    classifiers = dict.fromkeys(classifier for _, classifier in _columns(block))
    columns = {"_".join(column): block.values[column] for column in _columns(block)}
    columns |= {f"{task}_all": _of_task(block, task) for task in _tasks([block])}
    if set(_tasks([block])) - set(trained):
        columns["new_all"] = _of_new_tasks(block, trained)
    columns |= {f"trained_{name}": by_classifier[name] for name in classifiers}
    row = {"dataset": scope.dataset, "architecture": scope.architecture, **block._asdict(), "n": len(block.values)}
    del row["label"], row["values"], row["records"]
    for name, values in columns.items():
        row |= {f"{name}_mean": values.mean(), f"{name}_sd": values.std(ddof=1)}
    return row


def _text(block: Block, trained: list[str], tasks: list[str], classifiers: list[str]) -> dict[str, str]:
    def cell(values: pd.Series) -> str:
        return mean_sd(values.mean(), values.std(ddof=1), ACCURACY.scale)

    by_classifier = _by_classifier(block, trained)
    new = [task for task in tasks if task not in trained]
    joined = [f"{len(new)} new tasks" if len(new) > 1 else task_label(new[0])] if new else []
    return {
        "Representation": block.label,
        "Regularizer": regularizer_label(block.regularizer or "none"),
        **{f"{task_label(task)} ↑": cell(_of_task(block, task)) for task in trained},
        **{f"{heading} * ↑": cell(_of_new_tasks(block, trained)) for heading in joined},
        **{
            f"{classifier_label(name)} ↑": cell(by_classifier[name]) if name in by_classifier else "–"
            for name in classifiers
        },
        "n": str(len(block.values)) if block.given not in BASELINES else "–",
    }


def _notes(scope: Scope, blocks: list[Block], trained: list[str], classifiers: list[str]) -> list[str]:
    samples = ", ".join(map(str, sorted({entry["train_samples"] for entry in scope.probes.values()})))
    new = [task for task in _tasks(blocks) if task not in trained]
    named = ", ".join(map(classifier_label, classifiers))
    words = ", ".join(KNOWN_CLASSIFIERS.declared(name, "WORDS") for name in classifiers)
    notes = [
        f"Columns named after a task: mean over the classifiers. Columns named after a classifier ({named}: "
        f"{words}): mean over the trained tasks {', '.join(map(task_label, trained))}. Every task with every "
        "classifier stands in the CSV file. Accuracy is balanced: the mean over classes of the share of their samples "
        "that is answered rightly, so that a constant answer to C classes has 1/C even where one of them is rare.",
        "Cells: mean ± standard deviation over n runs with different seeds, last epoch. ± is the spread of runs, "
        "neither a test nor a confidence interval. Raw pixels and the majority class involve no random encoder.",
        f"Classifiers are fitted to standardised features of {samples} training images; their settings come from "
        "cross-validation on the training and validation splits, once a run, on its first seed.",
        f"Untrained encoder: the initialisation that all methods share, where it was kept. STL: the separate encoders' "
        f"representations joined, so {len(trained)} times as many features for {len(trained)} tasks.",
    ]
    notes += [f"*: {task_label(task)}, which no head was trained on, {unseen_task(task).note}." for task in new]
    return notes
