"""What a finished run leaves behind: metrics and history, the same on every machine; what is large goes elsewhere."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from dgr.config.runs import SPLITS
from dgr.core.files import write_atomically, write_json, write_text
from dgr.training.evaluation import Evaluation, Scores, evaluate
from dgr.training.run import Run
from dgr.training.trained import write_trained

ANSWERS = "answers.npz"
"""Which test samples were answered rightly, by task, packed eight to a byte; and the parts of each that has some."""
SAMPLES, SOURCES = "samples", "sources"


def write_records(run: Run, folder: Path) -> None:
    """Evaluate a trained run once on every split and write its records into a folder, and its large files.

    Args:
        run: a run whose training is done.
        folder: an existing, empty folder.
    """
    last = run.config.training.epochs
    final = _evaluate(run)
    best = final if run.progress.best_epoch == last else _of_best_epoch(run)
    config = run.config
    metrics = {
        "identity": {
            "suite": config.suite,
            "dataset": config.dataset,
            "architecture": config.architecture.name,
            "method": config.method.name,
            "regularizer": config.regularizer.name,
            "seed": run.seed,
        },
        "config": {**config.model_dump(mode="json", exclude={"seeds"}), "seed": run.seed},
        "learning_rate": config.training.chosen_rate,
        "strength": config.strength,
        "tasks": {
            task.name: {"metric": task.primary_metric, "higher_is_better": task.higher_is_better} for task in run.tasks
        },
        "final": {"epoch": last, **_scores(final)},
        "best_validation": {"epoch": run.progress.best_epoch, **_scores(best)},
        "representation_norm": {split: evaluation.mean_norm for split, evaluation in final.items()},
    }
    write_json(folder / "metrics.json", metrics)
    write_text(folder / "history.csv", _csv(run.progress.history))
    answers: dict[str, Any] = {task: np.packbits(right.cpu().numpy()) for task, right in final["test"].answers.items()}
    if (sources := run.splits["test"].sources) is not None:
        answers |= {SOURCES: sources.cpu().numpy().astype(np.int32)}
    if answers:
        answers[SAMPLES] = len(run.splits["test"])
        write_atomically(folder / ANSWERS, lambda file: np.savez(file, allow_pickle=False, **answers))
    last_epoch = {split: evaluation.representation for split, evaluation in final.items()}
    write_trained(run, last_epoch | run.progress.snapshots)


def _of_best_epoch(run: Run) -> dict[str, Evaluation]:
    state = {name: value.clone() for name, value in run.model.state_dict().items()}
    run.model.load_state_dict(run.progress.best_model)
    best = _evaluate(run)
    run.model.load_state_dict(state)
    return best


def _evaluate(run: Run) -> dict[str, Evaluation]:
    return {split: evaluate(run.model, run.tasks, run.splits[split]) for split in SPLITS}


def _scores(evaluations: dict[str, Evaluation]) -> dict[str, Scores]:
    return {split: evaluation.scores for split, evaluation in evaluations.items()}


def _csv(rows: list[dict[str, float | None]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
