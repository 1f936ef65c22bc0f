"""The penalty on batches in which tasks lack targets: that of the samples that have one, by double backward."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from dgr.core.task import VOID, Task
from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm

TASKS = (Task("sort", "classification", 3, partial=True), Task("size", "regression", partial=True))
SAMPLES, WIDTH = 9, 5


def heads():
    return [nn.Sequential(nn.Linear(WIDTH, 4), nn.ReLU(), nn.Linear(4, task.outputs)) for task in TASKS]


def batch(missing):
    """z, targets, and by task which are there; a task has none where all are missing."""
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(SAMPLES, WIDTH, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = [
        torch.randint(3, (SAMPLES,), generator=generator),
        torch.randn(SAMPLES, 1, generator=generator, dtype=torch.float64),
    ]
    present = [torch.arange(SAMPLES) >= missing[0], torch.arange(SAMPLES) < SAMPLES - missing[1]]
    targets[0][~present[0]] = VOID
    targets[1][~present[1]] = math.nan
    return z, targets, present


def reference(regularizer, z, targets, present):
    """R and ∂R/∂z by double backward from plain losses of the rows that have a target."""
    total = torch.zeros((), dtype=torch.float64)
    for index, dummy in enumerate(regularizer.dummies):
        task = index % len(TASKS)
        rows = present[task]
        if rows.any():
            plain = (functional.cross_entropy, functional.mse_loss)[task]
            for parameter in dummy.parameters():
                parameter.requires_grad_()
            loss = plain(dummy(z[rows]), targets[task][rows])
            gradients = torch.autograd.grad(loss, list(dummy.parameters()), create_graph=True)
            total = total + torch.stack([gradient.square().sum() for gradient in gradients]).sum()
    value = total / regularizer.num_dummies
    return value, torch.autograd.grad(value, z)[0]


@pytest.mark.parametrize("missing", [(0, 0), (4, 2), (8, 0), (SAMPLES, 3), (2, SAMPLES)])
@pytest.mark.parametrize("num_dummies", [1, 3])
def test_the_penalty_is_that_of_the_samples_that_have_a_target(missing, num_dummies):
    z, targets, present = batch(missing)
    regularizer = DummyGradientNorm(heads(), [task.criterion for task in TASKS], num_dummies=num_dummies).double()
    penalty = regularizer(z, targets)
    (gradient,) = torch.autograd.grad(penalty, z)
    value, expected = reference(regularizer, z, targets, present)
    torch.testing.assert_close(penalty, value)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("settings", [{"norm": "plain"}, {"per_task": True}, {"estimator": "finite_difference"}])
def test_a_batch_without_any_target_has_no_penalty(settings):
    z, targets, _ = batch((SAMPLES, SAMPLES))
    penalty = DummyGradientNorm(heads(), [task.criterion for task in TASKS], **settings).double()(z, targets)
    (gradient,) = torch.autograd.grad(penalty, z)
    assert penalty.item() == 0
    assert not gradient.any()


def test_two_tasks_of_classes_go_through_double_backward_where_labels_are_missing():
    """Heads and losses are otherwise those that the closed form is written for."""
    z, targets, present = batch((4, 0))
    pair = [*heads()[:1], *heads()[:1]]
    other = torch.arange(SAMPLES) % 3
    partial = DummyGradientNorm(pair, [TASKS[0].criterion, functional.cross_entropy], seed=3).double()
    (gradient,) = torch.autograd.grad(partial(z, [targets[0], other]), z)
    # torch's own label for what is left out, which the closed form knows.
    closed = DummyGradientNorm(pair, [functional.cross_entropy] * 2, seed=3).double()
    ignored = targets[0].masked_fill(~present[0], -100)
    (expected,) = torch.autograd.grad(closed(z, [ignored, other]), z)
    torch.testing.assert_close(gradient, expected)
