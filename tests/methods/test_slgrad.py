"""SLGrad's sample weights against a loop over samples, in float64."""

from __future__ import annotations

import copy

import pytest
import torch
from toy_problem import make_toy

from dgr.core.errors import DGRError
from dgr.methods import build_method
from dgr.methods.shared.base import forward
from dgr.methods.shared.sample_gradients import sample_weights

RATE = 0.05


def without_batch_norm(toy):
    """So that a sample's loss does not depend on the others, and can be computed alone."""
    toy.model.encoder[1] = torch.nn.Identity()
    return toy


def optimizer_for(model, kind):
    if kind == "adam":
        return torch.optim.Adam(model.parameters(), RATE)
    return torch.optim.SGD(model.parameters(), RATE, momentum=0.9 if kind == "momentum" else 0.0)


def step_of(toy, optimizer):
    optimizer.zero_grad()
    return forward(toy.model, toy.tasks, None, toy.batch, toy.held_out, optimizer)


def by_a_loop(toy, optimizer, main):
    """Weights as the definition says: a copy that looks ahead, then one gradient a sample and task."""
    model = copy.deepcopy(toy.model)
    ahead = copy.deepcopy(toy.model)
    mover = type(optimizer)(ahead.parameters(), **{key: optimizer.defaults[key] for key in optimizer.defaults})
    mover.load_state_dict(copy.deepcopy(optimizer.state_dict()))  # which it would share
    inputs, targets = toy.batch
    sum(t.loss(ahead(inputs)[t.name], targets[t.name]) for t in toy.tasks).backward()
    mover.step()
    held_out, held_out_targets = toy.held_out
    loss = toy.tasks[main].loss(ahead(held_out)[toy.tasks[main].name], held_out_targets[toy.tasks[main].name])
    direction = torch.autograd.grad(loss, list(ahead.encoder.parameters()))
    products = torch.zeros(len(toy.tasks), len(inputs), dtype=torch.float64)
    for t, task in enumerate(toy.tasks):
        for i in range(len(inputs)):
            own = task.loss(model(inputs[[i]])[task.name], targets[task.name][[i]])
            gradients = torch.autograd.grad(own, list(model.encoder.parameters()))
            products[t, i] = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
    positive = products.clamp(min=0)
    return positive / positive.sum()


@pytest.mark.parametrize("kind", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("main", [0, 2])
def test_weights_and_gradient_are_those_of_a_loop_over_samples(kind, main):
    toy = without_batch_norm(make_toy(3, conflict=False))
    optimizer = optimizer_for(toy.model, kind)
    method = build_method("slgrad", 3, main_task=f"task{main}").double()
    for _ in range(3):  # later steps look ahead with the optimizer's state
        expected = by_a_loop(toy, optimizer, main)
        before = copy.deepcopy(toy.model.state_dict())
        returned = method.backward(step_of(toy, optimizer))
        torch.testing.assert_close(method.sample_weights, expected)
        torch.testing.assert_close(returned, 3 * expected.sum(dim=1))
        assert all(torch.equal(value, before[name]) for name, value in toy.model.state_dict().items()), "not undone"
        weighted = 0
        predictions = toy.model(toy.batch[0])
        for task, weights in zip(toy.tasks, expected, strict=True):
            own = torch.nn.functional.cross_entropy(predictions[task.name], toy.batch[1][task.name], reduction="none")
            weighted = weighted + 3 * (weights * own).sum()
        gradients = torch.autograd.grad(weighted, list(toy.model.parameters()))
        for parameter, gradient in zip(toy.model.parameters(), gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient)
        optimizer.step()


@pytest.mark.parametrize("kind", ["sgd", "momentum", "adam"])
def test_a_kept_look_ahead_is_two_updates_a_batch(kind):
    toy = without_batch_norm(make_toy(2, conflict=False))
    twin = copy.deepcopy(toy)
    optimizer, other = optimizer_for(toy.model, kind), optimizer_for(twin.model, kind)
    method = build_method("slgrad", 2, main_task="task0", keep_look_ahead=True).double()
    method.backward(step_of(toy, optimizer))
    sum(step_of(twin, other).losses).backward()
    other.step()
    for value, moved in zip(toy.model.parameters(), twin.model.parameters(), strict=True):
        torch.testing.assert_close(value, moved)
    for value, moved in zip(toy.model.parameters(), twin.model.parameters(), strict=True):
        for name, state in other.state[moved].items():
            if torch.is_tensor(state):
                torch.testing.assert_close(optimizer.state[value][name], state)


def test_all_products_negative_train_nothing_and_are_counted():
    assert not sample_weights(torch.tensor([[-1.0, -2.0], [0.0, -3.0]])).any()
    toy = make_toy(2)
    toy.factors = (0.0, 0.0)
    method = build_method("slgrad", 2, main_task="task0").double()
    encoder, heads, weights = toy.backward(method)
    assert not encoder.any()
    assert not any(head.any() for head in heads)
    assert weights.tolist() == [0.0, 0.0]
    details = method.details()
    assert details["steps_without_weights"] == 1
    assert details["zero_weights/task0"] == details["zero_weights/task1"] == 1
    assert details["weight_maximum/task0"] == 0


def test_a_look_ahead_that_left_the_numbers_does_not_look_like_no_help():
    toy = make_toy(2)
    inputs, targets = toy.held_out
    toy.held_out = (inputs * float("nan"), targets)
    _, _, weights = toy.backward(build_method("slgrad", 2, main_task="task0").double())
    assert weights.isnan().all()


@pytest.mark.parametrize("keep", [False, True])
def test_parts_that_are_frozen_or_unused_stay_where_they_are(keep):
    toy = make_toy(2)
    toy.model.heads["task1"].requires_grad_(False)
    toy.model.encoder.unused = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    toy.model.encoder.forward = lambda x: torch.nn.Sequential(*list(toy.model.encoder)[:6])(x)
    for method in (
        build_method("slgrad", 2, main_task="task0", keep_look_ahead=keep),
        build_method("single_gradient_step", 2, second_order=keep),
    ):
        toy.model.zero_grad()
        method.double().backward(toy.step())
        assert toy.model.encoder[0].weight.grad.any()
        assert all(parameter.grad is None for parameter in toy.model.heads["task1"].parameters())
        assert torch.equal(toy.model.encoder.unused, torch.ones(3, dtype=torch.float64))


def test_the_epochs_record_is_of_its_own_weights():
    toy = without_batch_norm(make_toy(2, conflict=False))
    method = build_method("slgrad", 2, main_task="task1").double()
    seen = []
    for _ in range(3):
        toy.backward(method)
        seen.append(method.sample_weights)
        with torch.no_grad():
            toy.model.encoder[0].weight.add_(0.1)
    relative = 2 * len(toy.batch[0]) * torch.stack(seen)
    details = method.details()
    for t, name in enumerate(("task0", "task1")):
        assert details[f"zero_weights/{name}"] == (relative[:, t] == 0).double().mean()
        assert details[f"weight_maximum/{name}"] == relative[:, t].max()
        assert details[f"weight_median/{name}"] == pytest.approx(relative[:, t].flatten().quantile(0.5).item())
    method.end_epoch()
    toy.backward(method)
    assert method.details()["weight_maximum/task0"] == 2 * len(toy.batch[0]) * method.sample_weights[0].max()


def test_what_is_missing_is_said():
    with pytest.raises(DGRError, match="name it with the option 'main_task'"):
        build_method("slgrad", 2)
    toy = make_toy(2)
    with pytest.raises(
        DGRError, match="The main task 'tsak1' of method 'slgrad' is no task here; did you mean 'task1'"
    ):
        toy.backward(build_method("slgrad", 2, main_task="tsak1").double())
    inputs, targets = toy.held_out
    for held_out in (None, (inputs[:0], {name: target[:0] for name, target in targets.items()})):
        toy.held_out = held_out
        with pytest.raises(DGRError, match="needs a held-out batch that is not empty"):
            toy.backward(build_method("slgrad", 2, main_task="task0").double())
