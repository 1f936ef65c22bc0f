"""Single gradient step against a case worked out by hand, and the second order against torch's own Hessian."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from toy_problem import flat, make_toy

from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.methods import build_method
from dgr.methods.shared.base import forward
from dgr.models.model import MultiTaskModel


class Scale(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.float64))

    def forward(self, x):
        return self.value * x


def two_parameters(theta, phi, x, y, rate):
    """One sample, prediction φθx, loss (φθx − y)²."""
    model = MultiTaskModel(Scale(theta), {"only": Scale(phi)})
    batch = (torch.tensor([[x]], dtype=torch.float64), {"only": torch.tensor([[y]], dtype=torch.float64)})
    optimizer = torch.optim.SGD(model.parameters(), rate)
    return model, forward(model, [Task("only", "regression")], None, batch, None, optimizer)


@pytest.mark.parametrize("second_order", [False, True])
def test_two_parameters_by_hand(second_order):
    theta, phi, x, y, rate, alpha = 0.7, -1.2, 1.5, 0.4, 0.1, 0.05
    model, step = two_parameters(theta, phi, x, y, rate)
    build_method("single_gradient_step", 1, inner_learning_rate=alpha, second_order=second_order).backward(step)
    head_gradient = 2 * (phi * theta * x - y) * theta * x
    moved_head = phi - rate * head_gradient
    inner = 2 * (moved_head * theta * x - y) * moved_head * x
    moved = theta - alpha * inner
    outer = 2 * (moved_head * moved * x - y) * moved_head * x
    through = 1 - alpha * 2 * (moved_head * x) ** 2
    assert model.heads["only"].value.grad.item() == pytest.approx(head_gradient, rel=1e-12)
    assert model.encoder.value.grad.item() == pytest.approx(outer * (through if second_order else 1), rel=1e-12)


def test_the_inner_step_is_by_default_the_optimizers():
    gradients = []
    for options in ({}, {"inner_learning_rate": 0.1}):
        model, step = two_parameters(0.7, -1.2, 1.5, 0.4, 0.1)
        build_method("single_gradient_step", 1, **options).backward(step)
        gradients.append(model.encoder.value.grad.item())
    assert gradients[0] == gradients[1]


def test_the_second_order_is_that_of_torchs_hessian():
    """∇_θ L(θ − α∇L(θ)) = (I − αH(θ)) ∇L(θ'), summed over tasks."""
    toy, alpha = make_toy(2, conflict=False), 0.3
    toy.model.encoder[1] = nn.Identity()  # copies of its buffers aside, batch normalisation changes nothing here
    encoder, _, _ = toy.backward(build_method("single_gradient_step", 2, inner_learning_rate=alpha, second_order=True))
    names = [name for name, _ in toy.model.encoder.named_parameters()]
    start = torch.cat([p.detach().flatten() for p in toy.shared])
    expected = torch.zeros_like(start)
    for task in toy.tasks:
        head = toy.model.heads[task.name]
        step = toy.step()
        gradients = torch.autograd.grad(step.losses[toy.tasks.index(task)], list(head.parameters()))
        moved_head = {
            name: p.detach() - step.learning_rate * g
            for (name, p), g in zip(head.named_parameters(), gradients, strict=True)
        }

        def loss(vector, task=task, head=head, moved_head=moved_head):
            parts = torch.split(vector, [p.numel() for p in toy.shared])
            shaped = {n: part.view_as(p) for n, part, p in zip(names, parts, toy.shared, strict=True)}
            z = torch.func.functional_call(toy.model.encoder, shaped, (toy.batch[0],))
            return task.loss(torch.func.functional_call(head, moved_head, (z,)), toy.batch[1][task.name])

        gradient = torch.autograd.functional.jacobian(loss, start)
        hessian = torch.autograd.functional.hessian(loss, start)
        at_moved = torch.autograd.functional.jacobian(loss, start - alpha * gradient)
        expected += at_moved - alpha * hessian @ at_moved
    torch.testing.assert_close(torch.from_numpy(encoder), expected)


def test_a_step_size_that_is_none_is_refused():
    for value in (0, -1.0, float("nan"), "big"):
        with pytest.raises(DGRError, match="Option 'inner_learning_rate' of method 'single_gradient_step' must be"):
            build_method("single_gradient_step", 2, inner_learning_rate=value)


def test_a_vanishing_inner_step_is_the_gradient_of_the_summed_loss():
    toy = make_toy(3)
    method = build_method("single_gradient_step", 3, inner_learning_rate=1e-12)
    step = toy.step()
    step.optimizer.param_groups[0]["lr"] = 1e-12
    method.backward(step)
    torch.testing.assert_close(
        torch.from_numpy(flat([p.grad for p in toy.shared])), torch.from_numpy(toy.jacobian().sum(0))
    )
