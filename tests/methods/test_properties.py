"""What must hold for every method: resuming, order of tasks, scale, and tasks that have nothing to say."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from method_support import build
from toy_problem import Toy, make_toy

from dgr.methods import METHODS, Method
from dgr.models.model import MultiTaskModel

BALANCERS = ["graddrop", "pcgrad", "cagrad", "nash_mtl", "imtl"]


def run(toy: Toy, method: Method, optimizer: torch.optim.Optimizer, steps: int) -> list[list[float]]:
    """Short epochs, so that methods which look at epochs have something to resume in the middle of one."""
    weights = []
    for index in range(steps):
        optimizer.zero_grad()
        weights.append(method.backward(toy.step()).tolist())
        optimizer.step()
        if index % 2 == 0:
            method.end_epoch()
    return weights


def start(name: str, num_tasks: int) -> tuple[Toy, Method, torch.optim.Optimizer]:
    toy = make_toy(num_tasks, dtype=torch.float32)
    method = build(name, num_tasks)
    optimizer = torch.optim.Adam([*toy.model.parameters(), *method.parameters()], 1e-2)
    return toy, method, optimizer


@pytest.mark.parametrize("name", METHODS)
def test_a_resumed_method_continues_bit_for_bit(name):
    torch.manual_seed(0)
    toy, method, optimizer = start(name, 3)
    run(toy, method, optimizer, 5)
    file = io.BytesIO()
    parts = (toy.model, method, optimizer)
    torch.save({"states": [part.state_dict() for part in parts], "random": torch.get_rng_state()}, file)
    expected = run(toy, method, optimizer, 5)

    file.seek(0)
    saved = torch.load(file, weights_only=True)
    new_toy, new_method, new_optimizer = start(name, 3)
    for part, state in zip((new_toy.model, new_method, new_optimizer), saved["states"], strict=True):
        part.load_state_dict(state)
    torch.set_rng_state(saved["random"])
    assert run(new_toy, new_method, new_optimizer, 5) == expected
    for value, other in zip(new_toy.model.parameters(), toy.model.parameters(), strict=True):
        assert torch.equal(value, other)
    for key, value in method.state_dict().items():
        assert torch.equal(new_method.state_dict()[key], value), key


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("pcgrad", "random_weighting")])
def test_the_order_of_tasks_does_not_matter(name):
    """PCGrad draws the order, and random weighting a weight a task; GradDrop's draw is the same for every order."""
    toy, order = make_toy(3), [2, 0, 1]
    reordered = copy.deepcopy(toy)
    reordered.tasks = [toy.tasks[k] for k in order]
    reordered.model = MultiTaskModel(
        reordered.model.encoder, {task.name: reordered.model.heads[task.name] for task in reordered.tasks}
    )
    results = []
    for case, method in ((toy, build(name, 3).double()), (reordered, build(name, 3).double())):
        torch.manual_seed(2)
        for _ in range(3):
            encoder, heads, weights = case.backward(method)
            method.end_epoch()
        results.append((encoder, heads, weights))
    (encoder, heads, weights), (other_encoder, other_heads, other_weights) = results
    tolerance = {"rtol": 1e-5, "atol": 1e-5 * np.abs(encoder).max()}
    np.testing.assert_allclose(other_encoder, encoder, **tolerance)
    np.testing.assert_allclose(other_weights, weights[order], rtol=1e-5)
    for position, k in enumerate(order):
        np.testing.assert_allclose(other_heads[position], heads[k], rtol=1e-5, atol=1e-9)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(exponents=st.lists(st.floats(-12, 12), min_size=3, max_size=3))
@pytest.mark.parametrize("name", METHODS)
def test_extreme_scales_stay_finite(name, exponents):
    """Losses between 1e-12 and 1e12 at once, in float32."""
    toy = make_toy(3, dtype=torch.float32)
    toy.factors = tuple(10.0**exponent for exponent in exponents)
    method = build(name, 3)
    for _ in range(3):
        encoder, heads, weights = toy.backward(method)
        method.end_epoch()
        assert np.isfinite(encoder).all()
        assert np.isfinite(np.concatenate(heads)).all()
        assert weights.isfinite().all()


@pytest.mark.parametrize("name", ["pcgrad", "cagrad"])
@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_balancers_keep_the_scale_of_the_losses(name, scale):
    """TorchJD's CAGrad by itself gives no gradient at all below a norm of 0.01."""
    toy = make_toy(2)
    encoder, _, _ = toy.backward(build(name, 2))
    toy.factors = (scale, scale)
    scaled, _, _ = toy.backward(build(name, 2))
    np.testing.assert_allclose(scaled / scale, encoder, rtol=1e-6, atol=1e-6 * np.abs(encoder).max())


@pytest.mark.parametrize("name", METHODS)
def test_a_task_of_zero_gradient_leaves_the_others_alone(name):
    toy = make_toy(3)
    toy.factors = (1.0, 0.0, 1.0)
    method = build(name, 3).double()
    for _ in range(3):
        encoder, heads, weights = toy.backward(method)
        method.end_epoch()
    assert np.isfinite(encoder).all()
    assert np.abs(encoder).max() > 0  # the others still train it
    assert not heads[1].any()
    assert weights.isfinite().all()


@pytest.mark.parametrize("name", ["graddrop", "pcgrad", "cagrad", "imtl"])
def test_no_gradient_and_opposite_gradients_give_no_nan(name):
    toy = make_toy(2)
    toy.model.heads["task1"].load_state_dict(toy.model.heads["task0"].state_dict())
    for factors in ((0.0, 0.0), (1.0, -1.0), (1.0, -0.5)):
        toy.factors = factors
        encoder, _, weights = toy.backward(build(name, 2).double())
        assert np.isfinite(encoder).all()
        assert weights.isfinite().all()
