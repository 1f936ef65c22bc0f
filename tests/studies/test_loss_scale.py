import numpy as np
import pytest
import torch

from dgr.config.runs import MethodConfig
from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.studies import loss_scale
from dgr.studies.loss_scale import LossScale, ScaledTask

CONV = {"name": "conv", "pooling": 2, "channels": [4], "width": 8, "hidden": 8}
DIGITS = {
    "data": {
        "kind": "multimnist",
        "digits": {"train": 100, "val": 20, "test": 50},
        "pairs": {"train": 64, "val": 16, "test": 40},
        "seed": 0,
    },
    "architecture": CONV,
    "epochs": 1,
    "batch_size": 32,
    "learning_rate": 1e-2,
}
ROOMS = {
    "data": {"kind": "rooms", "image_size": 16, "scenes": {"train": 8, "val": 4, "test": 4}, "noise": 0.05, "seed": 0},
    "architecture": {"name": "split", "backbone": "small", "channels": [4, 4], "head_channels": 4},
    "epochs": 1,
    "batch_size": 4,
    "learning_rate": 1e-2,
}


def config(*methods):
    return LossScale(
        kind="loss_scale",
        levels=[0.1, 1.0, 10.0],
        settings={"digits": DIGITS, "rooms": ROOMS},
        methods=[MethodConfig(name=name) for name in methods],
    )


def test_only_the_loss_is_scaled():
    task, scaled = Task("a", "classification", 3), ScaledTask("a", "classification", 3, factor=100.0)
    prediction, target = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    assert scaled.loss(prediction, target) == pytest.approx(100 * task.loss(prediction, target).item())
    metrics = scaled.metrics()
    metrics.update(prediction, target)
    assert 0 <= metrics.compute()["accuracy"] <= 1


def test_changes_are_relative_signed_and_against_factor_one():
    tasks = [Task("s", "segmentation", 5), Task("d", "depth"), Task("n", "normals")]
    reference = {"s": 0.5, "d": 2.0, "n": 40.0}
    found = {"s": 0.4, "d": 1.0, "n": 44.0}
    changes = loss_scale._changes(tasks, reference, found)
    assert changes == pytest.approx({"scaled_task": -20.0, "other_tasks": (50.0 - 10.0) / 2, "worst_task": -20.0})


def test_rows_are_complete_and_zero_at_factor_one():
    rows = list(loss_scale.run(config("equal_weighting", "single_gradient_step"), 0))
    cells = {(row.setting, row.level, row.method, row.measure) for row in rows}
    assert len(cells) == len(rows) == 3 * 2 * (4 + 2) + 3 * 2 * (4 + 3)  # digits have two tasks, rooms three
    changes = ("scaled_task", "other_tasks", "worst_task")
    assert all(row.value == 0 for row in rows if row.level == 1 and row.measure in changes)
    assert all(np.isfinite(row.value) for row in rows)
    assert any(row.value != 0 for row in rows)
    assert list(loss_scale.run(config("equal_weighting"), 0)) == [
        row for row in rows if row.method == "equal_weighting"
    ]


def test_changes_are_those_of_the_recorded_scores():
    """From the rows alone: against the same method at factor 1, and against equal weighting at factor 1."""
    rows = list(loss_scale.run(config("single_gradient_step", "equal_weighting"), 0))
    found = {(row.setting, row.level, row.method, row.measure): row.value for row in rows}
    higher = {"left": 1, "right": 1, "segmentation": 1, "depth": -1, "normals": -1}
    for setting, tasks in (("digits", ["left", "right"]), ("rooms", ["segmentation", "depth", "normals"])):
        for method in ("single_gradient_step", "equal_weighting"):

            def changes(other, setting=setting, tasks=tasks, method=method):
                score = [found[setting, 10.0, method, f"score/{task}"] for task in tasks]
                base = [found[setting, 1.0, other, f"score/{task}"] for task in tasks]
                return [100 * higher[t] * (s - b) / b for t, s, b in zip(tasks, score, base, strict=True)]

            assert found[setting, 10.0, method, "scaled_task"] == pytest.approx(changes(method)[0])
            assert found[setting, 10.0, method, "worst_task"] == pytest.approx(min(changes(method)))
            yardstick = min(changes("equal_weighting"))
            assert found[setting, 10.0, method, "worst_against_ew"] == pytest.approx(yardstick)


def test_a_score_of_zero_is_no_yardstick():
    tasks = [Task("s", "segmentation", 5)]
    with pytest.raises(DGRError, match="'s' has a mean_iou of 0 at factor 1, against which no change can be told"):
        loss_scale._changes(tasks, {"s": 0.0}, {"s": 0.1})


def test_a_method_blind_to_scale_keeps_its_encoder(monkeypatch):
    """IMTL's encoder weights do not depend on the scale of a loss, and Adam's heads do not either."""
    rows = list(loss_scale.run(config("imtl"), 0))
    assert max(abs(row.value) for row in rows if row.setting == "digits" and row.level != 1) < 60
