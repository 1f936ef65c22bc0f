"""Tasks whose targets are there for some samples only: loss and metrics are those of the samples that have one."""

import math

import pytest
import torch
from torch.nn import functional

from dgr.core.errors import DGRError
from dgr.core.task import VOID, Task

CLASSES = Task("sort", "classification", 3, partial=True)
NUMBERS = Task("size", "regression", partial=True)


def problem(task, missing, samples=7):
    """Predictions with gradients, targets, and which of them are there."""
    generator = torch.Generator().manual_seed(samples + missing)
    prediction = torch.randn(samples, task.outputs, generator=generator, dtype=torch.float64, requires_grad=True)
    target = torch.randint(3, (samples,), generator=generator)
    if task.kind == "regression":
        target = torch.randn(samples, 1, generator=generator, dtype=torch.float64)
    present = torch.arange(samples) >= missing
    target[~present] = VOID if task.kind == "classification" else math.nan
    return prediction, target, present


@pytest.mark.parametrize("task", [CLASSES, NUMBERS])
@pytest.mark.parametrize("missing", [0, 1, 4, 6])
def test_the_loss_is_the_mean_over_what_is_there(task, missing):
    prediction, target, present = problem(task, missing)
    loss = task.loss(prediction, target)
    plain = functional.cross_entropy if task.kind == "classification" else functional.mse_loss
    expected = plain(prediction[present], target[present])
    torch.testing.assert_close(loss, expected)
    (gradient,) = torch.autograd.grad(loss, prediction, retain_graph=True)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, prediction)[0])
    assert not gradient[~present].any()
    assert task.targets_in(target) == 7 - missing


@pytest.mark.parametrize("task", [CLASSES, NUMBERS])
def test_a_batch_without_any_has_loss_and_gradient_zero(task):
    prediction, target, _ = problem(task, 7)
    loss = task.loss(prediction, target)
    (gradient,) = torch.autograd.grad(loss, prediction)
    assert loss.item() == 0
    assert not gradient.any()
    assert task.targets_in(target) == 0


@pytest.mark.parametrize("task", [CLASSES, NUMBERS])
def test_metrics_leave_out_what_is_missing_also_whole_batches(task):
    metrics, values = task.metrics(), []
    for missing in (3, 7, 0):
        prediction, target, present = problem(task, missing)
        metrics.update(prediction.detach().float(), target.float() if task.kind == "regression" else target)
        if task.kind == "classification":
            values += (prediction[present].argmax(dim=1) == target[present]).double().tolist()
        else:
            values += (prediction[present] - target[present]).square().flatten().tolist()
    assert len(values) == 4 + 0 + 7
    assert metrics.compute()[task.primary_metric].item() == pytest.approx(sum(values) / len(values), rel=1e-6)


def test_complete_tasks_keep_the_functions_of_torch():
    assert Task("a", "classification", 3).criterion is functional.cross_entropy
    assert Task("a", "regression").criterion is functional.mse_loss
    assert CLASSES.criterion is not functional.cross_entropy


def test_dense_tasks_leave_out_pixels_in_any_case():
    assert Task("d", "depth", partial=True).criterion is Task("d", "depth").criterion


@pytest.mark.parametrize(
    ("task", "targets", "message"),
    [
        (CLASSES, torch.tensor([VOID, VOID]), "No sample of split 'val' has a target of task 'sort'; give it some"),
        (NUMBERS, torch.full((2, 1), math.nan), "No sample of split 'val' has a target of task 'size'"),
        (
            Task("s", "segmentation", 3),
            torch.full((2, 4, 4), VOID),
            "No sample of split 'val' has a target of task 's'",
        ),
        (Task("d", "depth"), torch.zeros(2, 1, 4, 4), "No sample of split 'val' has a target of task 'd'"),
        (Task("n", "normals"), torch.zeros(2, 3, 4, 4), "No sample of split 'val' has a target of task 'n'"),
        (CLASSES, torch.tensor([VOID, 3]), r"'sort' in split 'val' span -1…3, but must lie in -1…2"),
        (Task("sort", "classification", 3), torch.tensor([VOID, 2]), r"span -1…2, but must lie in 0…2"),
        (NUMBERS, torch.tensor([[math.nan], [math.inf]]), "span inf…inf"),
        (Task("size", "regression"), torch.tensor([[math.nan], [1.0]]), "span nan…nan"),
    ],
)
def test_targets_that_cannot_be_trained_on_are_named(task, targets, message):
    for values in (targets, targets.numpy()):
        with pytest.raises(DGRError, match=message):
            task.check_targets(values, "val")


@pytest.mark.parametrize(
    ("task", "targets"),
    [
        (CLASSES, torch.tensor([VOID, 2])),
        (NUMBERS, torch.tensor([[math.nan], [-3.0]])),
        (Task("size", "regression"), torch.zeros(2, 1)),
        (Task("sort", "classification", 3), torch.zeros(2, dtype=torch.int64)),
    ],
)
def test_targets_that_can_be_trained_on_pass(task, targets):
    task.check_targets(targets, "val")
    task.check_targets(targets.numpy(), "val")
