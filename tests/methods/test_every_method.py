"""One test that builds, steps and checks every registered method, without and with a penalty."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from method_support import build
from torch import Tensor, nn
from toy_problem import Toy, flat, make_toy, penalty

from dgr.methods import METHODS, Step
from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm

STEPS = 4


class Training:
    """A method, its optimizer and, on request, a regularizer."""

    def __init__(self, name: str, regularizer: str, num_tasks: int) -> None:
        self.toy: Toy = make_toy(num_tasks, dtype=torch.float64)
        self.method = build(name, num_tasks).double()
        self.regularizer = None
        if regularizer == "dgr":
            losses = [task.loss for task in self.toy.tasks]
            self.regularizer = DummyGradientNorm(list(self.toy.model.heads.values()), losses, strength=0.5).double()
        elif regularizer == "norm":
            self.regularizer = lambda representation, targets: penalty(representation)
        self.optimizer = torch.optim.Adam([*self.toy.model.parameters(), *self.method.parameters()], 1e-2)

    def step(self, *, with_penalty: bool = True) -> Step:
        step = self.toy.step()
        if self.regularizer is not None and with_penalty:
            targets = [step.batch[1][task.name] for task in step.tasks]
            step.penalty = self.regularizer(step.representation, targets)
        return step

    def gradients(self, *, with_penalty: bool) -> dict[str, Tensor]:
        """Of everything that can have one, from a copy of the method: taking them does not count as a step."""
        method = copy.deepcopy(self.method)
        self.toy.model.zero_grad()
        method.zero_grad()
        torch.manual_seed(3)
        method.backward(self.step(with_penalty=with_penalty))
        named = {**dict(self.toy.model.named_parameters()), **dict(method.named_parameters())}
        return {name: p.grad.clone() for name, p in named.items()}


@pytest.mark.parametrize("num_tasks", [2, 3])
@pytest.mark.parametrize("regularizer", ["none", "norm", "dgr"])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_everything_it_should_and_nothing_else(name, regularizer, num_tasks):
    training = Training(name, regularizer, num_tasks)
    trained = nn.ModuleList([training.toy.model, training.method])
    before = {key: p.detach().clone() for key, p in trained.named_parameters()}
    dgr = training.regularizer if regularizer == "dgr" else None
    dummies = {key: p.clone() for key, p in dgr.dummies.state_dict().items()} if dgr else {}

    if regularizer != "none":
        plain, both = training.gradients(with_penalty=False), training.gradients(with_penalty=True)
        parts = torch.autograd.grad(training.step().penalty, training.toy.shared)
        for (key, _), part in zip(training.toy.model.encoder.named_parameters(), parts, strict=True):
            torch.testing.assert_close(both.pop(f"encoder.{key}"), plain.pop(f"encoder.{key}") + part)
        assert flat(parts).any()
        assert all(torch.equal(both[key], plain[key]) for key in plain), "the penalty reached a head or the method"

    for _ in range(STEPS):
        training.optimizer.zero_grad()
        weights = training.method.backward(training.step())
        training.optimizer.step()
        assert weights.shape == (num_tasks,)
        assert weights.isfinite().all()
        assert not weights.requires_grad
    training.method.end_epoch()

    for key, value in trained.named_parameters():
        assert value.isfinite().all(), key
        assert not torch.equal(value, before[key]), f"{key} did not move"
    assert not any(hasattr(p, "jac") for p in trained.parameters())
    for key, value in dummies.items():
        assert torch.equal(dgr.dummies.state_dict()[key], value), f"dummy {key} moved"


ONCE = ("single_task", "equal_weighting", "dwa", "uncertainty_weighting", "random_weighting", "svd_reweighting")
BY_TASK = ("auto_lambda", "gradnorm", "ol_aux", "cosine_similarity", "graddrop", "pcgrad", "cagrad", "nash_mtl", "imtl")
WALKS = dict.fromkeys(ONCE, 1) | dict.fromkeys((*BY_TASK, "single_gradient_step"), 4) | {"slgrad": 3}


@pytest.mark.parametrize(("name", "expected"), WALKS.items())
def test_how_often_the_encoder_is_walked_back(name, expected):
    """Once with loss weighting; once a task, and once more for the penalty or the weighted sum, where gradients count.

    SLGrad: for the penalty, the look-ahead and the weighted sum, whatever the number of tasks.
    """
    training = Training(name, "norm", 3)
    walks = []
    handle = training.toy.model.encoder[0].register_forward_hook(
        lambda _module, _inputs, output: output.register_hook(lambda _gradient: walks.append(1)) and None
    )
    step = training.step()
    handle.remove()
    training.method.backward(step)
    assert len(walks) == expected


@pytest.mark.parametrize("name", METHODS)
def test_frozen_parameters_stay_without_gradient(name):
    toy = make_toy(2)
    toy.model.encoder[0].requires_grad_(False)
    toy.model.heads["task0"][0].requires_grad_(False)
    toy.penalty = True
    build(name, 2).double().backward(toy.step())
    for parameter in toy.model.parameters():
        assert (parameter.grad is None) == (not parameter.requires_grad)
    assert np.isfinite(flat([p.grad for p in toy.model.parameters() if p.requires_grad])).all()


@pytest.mark.parametrize("name", METHODS)
def test_running_statistics_move_once_a_batch(name):
    toy = make_toy(2)
    for head in toy.model.heads.values():
        head.insert(1, nn.BatchNorm1d(5).double())
    toy.backward(build(name, 2).double())
    counts = {key: value.item() for key, value in toy.model.named_buffers() if key.endswith("num_batches_tracked")}
    assert len(counts) == 3
    assert set(counts.values()) == {1}, counts


class Turned(nn.Module):
    """A linear layer whose gradient comes in another memory layout than its weight."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(6, 3, dtype=torch.float64, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bi,io->bo", x, self.weight)


@pytest.mark.parametrize("name", METHODS)
def test_gradients_lie_in_memory_as_their_parameters(name):
    """Fused optimizers take that for granted, and permute the update otherwise."""
    toy = make_toy(2)
    for seed, task in enumerate(toy.tasks):
        toy.model.heads[task.name] = Turned(seed)
    toy.backward(build(name, 2).double())
    for key, parameter in toy.model.named_parameters():
        assert parameter.grad.stride() == parameter.stride(), key
