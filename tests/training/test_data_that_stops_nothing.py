"""What ordinary data and settings bring: zeros, divergence, small batches. It is said by name, and nothing is lost."""

import json
import math
from pathlib import Path

import pytest
import torch
import yaml
from method_support import options_for
from torch import nn

from dgr.core.errors import DGRError
from dgr.core.improvement import mean_relative_improvement
from dgr.core.paths import DATA, PLAN, tuning_file
from dgr.core.task import Task
from dgr.datasets.prepared import load
from dgr.training import run as run_module
from dgr.training.configuration import RunConfig
from dgr.training.divergence import DivergedError
from dgr.training.epoch import Epoch
from dgr.training.run import Run
from dgr.training.tuning import tune

EW = "mini-multimnist-conv-equal_weighting-none"
DGR = "mini-multimnist-conv-equal_weighting-dgr"


def make_run(**training):
    entry = yaml.safe_load(PLAN.read_text())["runs"][EW]
    entry["method"] = {"name": "equal_weighting", "options": options_for("equal_weighting", "left")}
    entry["regularizer"] = {"name": "none"}
    entry["training"] |= training | {"snapshot_epochs": []}  # they are evaluated, too
    return Run(RunConfig(**entry), 0, load("multimnist", DATA), torch.device("cpu"), Path("resume.pt"))


def with_accuracy_of_left(monkeypatch, values):
    """Evaluations in a run that find these accuracies of task 'left', one after the other."""
    evaluate, rest = run_module.evaluate, iter(values)

    def changed(*arguments):
        evaluation = evaluate(*arguments)
        evaluation.scores["left"]["accuracy"] = next(rest)
        evaluation.scores["right"]["accuracy"] = 0.5
        return evaluation

    monkeypatch.setattr(run_module, "evaluate", changed)


@pytest.mark.parametrize(("values", "best"), [([0.0, 0.2, 0.1], 2), ([0.0, 0.0, 0.0], 1), ([0.2, 0.0, 0.4], 3)])
def test_a_first_validation_of_exactly_zero_stops_nothing(project, monkeypatch, values, best):
    with_accuracy_of_left(monkeypatch, values)
    run = make_run(epochs=3)
    run.train()
    assert len(run.progress.history) == 3
    assert run.progress.best_epoch == best


def test_what_is_relative_to_zero_is_named_where_it_is_needed():
    with pytest.raises(DGRError, match="The reference of task 'right' has a metric of exactly 0"):
        mean_relative_improvement({"left": 1, "right": 1}, {"left": 1, "right": 0}, {"left": True, "right": True})


def diverging_validation(model: nn.Module) -> None:
    """As batch normalisation does it: in training the batch's own statistics keep everything finite."""
    model.encoder.register_forward_hook(lambda module, _, z: z if module.training else z * math.nan)


def test_a_diverging_validation_is_named_at_once_and_what_was_trained_is_kept(project, monkeypatch):
    run = make_run(epochs=3)
    train = Epoch.train

    def train_and_break(epoch):
        if epoch.number == 1:
            diverging_validation(run.model)
        return train(epoch)

    monkeypatch.setattr(Epoch, "train", train_and_break)
    with pytest.raises(
        DivergedError, match=r"seed 0: val_loss/left is nan after epoch 2; the checkpoint of an earlier"
    ):
        run.train()
    assert len(torch.load(run.checkpoint, weights_only=True)["progress"]["history"]) == 1


def test_a_diverging_validation_counts_as_diverged_in_tuning(project, monkeypatch):
    worst = max(yaml.safe_load(PLAN.read_text())["tuning"][DGR]["strengths"])
    init = Run.__init__

    def broken(run, *arguments):
        init(run, *arguments)
        if run.config.strength == worst:
            diverging_validation(run.model)

    monkeypatch.setattr(Run, "__init__", broken)
    tune(DGR, "cpu")
    record = json.loads(tuning_file("mini", DGR).read_text())
    assert record["chosen"]["strength"] not in (None, worst)
    assert all((row["val"] is None) == (row["strength"] == worst) for row in record["rows"])
    assert all((row["mean_norm"] is None) == (row["strength"] == worst) for row in record["rows"])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_normals_that_are_no_numbers_have_no_mean_angle(value):
    task = Task("normals", "normals")
    target = torch.tensor([0.0, 0.0, 1.0])[None, :, None, None].expand(1, 3, 2, 2)
    prediction = target.clone()
    prediction[0, :, 0, 0] = value
    metrics = task.metrics()
    metrics.update(prediction, target)
    found = metrics.compute()
    assert found["mean_angle"].isnan()
    assert found["within_30"] == pytest.approx(0.75)


def test_a_training_split_of_one_sample_is_a_batch(project):
    run = make_run(epochs=1, batch_size=8)
    whole = run.splits["train"]
    run.splits["train"] = type(whole)(whole.images[:1], {name: each[:1] for name, each in whole.targets.items()})
    run.train()
    assert len(run.progress.history) == 1
