"""Each method in float64 against its definition, written here in NumPy from the papers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.func import functional_call
from toy_problem import LEARNING_RATE, Toy, make_toy

from dgr.methods import build_method

TOYS = [(2, 0), (2, 1), (3, 0), (3, 1)]


@pytest.fixture(params=TOYS, ids=lambda p: f"{p[0]}tasks-seed{p[1]}")
def toy(request) -> Toy:
    return make_toy(request.param[0], seed=request.param[1])


def test_the_toy_problems_hold_conflicts():
    gramians = [(jacobian := make_toy(*toy_args[:1], seed=toy_args[1]).jacobian()) @ jacobian.T for toy_args in TOYS]
    assert all(gramian.min() < 0 for gramian in gramians)


@pytest.mark.parametrize("name", ["single_task", "equal_weighting"])
def test_equal_weighting(toy, name):
    encoder, heads, weights = toy.backward(build_method(name, len(toy.tasks)))
    np.testing.assert_allclose(encoder, toy.jacobian().sum(axis=0), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(np.concatenate(heads), np.concatenate(toy.head_gradients()), rtol=1e-10, atol=1e-14)
    assert weights.tolist() == [1.0] * len(toy.tasks)


def test_dwa(toy):
    method = build_method("dwa", len(toy.tasks), temperature=2.0).double()
    epochs = []
    for epoch in range(2):
        batches = []
        for batch in range(3):
            toy.factors = tuple(1 / (1 + (k + 1) * epoch + batch) for k in range(len(toy.tasks)))
            batches.append(toy.losses())
            assert toy.backward(method)[2].tolist() == pytest.approx([1.0] * len(toy.tasks))
        epochs.append(np.mean(batches, axis=0))
        method.end_epoch()
    toy.factors = None
    powers = np.exp(epochs[1] / epochs[0] / 2.0)
    expected = len(toy.tasks) * powers / powers.sum()
    encoder, _, weights = toy.backward(method)
    np.testing.assert_allclose(weights, expected, rtol=1e-10)
    np.testing.assert_allclose(encoder, expected @ toy.jacobian(), rtol=1e-9, atol=1e-14)


def test_uncertainty_weighting(toy):
    method = build_method("uncertainty_weighting", len(toy.tasks)).double()
    s = np.linspace(-1, 0.5, len(toy.tasks))
    assert method.log_variances.tolist() == pytest.approx([-0.7] * len(toy.tasks))
    method.log_variances.data = torch.from_numpy(s.copy())
    encoder, heads, weights = toy.backward(method)
    expected = 1 / (2 * np.exp(s))
    np.testing.assert_allclose(weights, expected, rtol=1e-12)
    np.testing.assert_allclose(encoder, expected @ toy.jacobian(), rtol=1e-10, atol=1e-14)
    for weight, head, own in zip(expected, heads, toy.head_gradients(), strict=True):
        np.testing.assert_allclose(head, weight * own, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(method.log_variances.grad, -expected * toy.losses() + 0.5, rtol=1e-10)


def held_out_loss(toy: Toy, weights: np.ndarray) -> float:
    """L_heldout(θ − η Σ w_k ∇L_k), the function whose slope in w Auto-Lambda follows."""
    parameters = dict(toy.model.named_parameters())
    total = sum(w * loss for w, loss in zip(weights, toy.step().losses, strict=True))
    gradients = torch.autograd.grad(total, list(parameters.values()))
    moved = {n: p - LEARNING_RATE * g for (n, p), g in zip(parameters.items(), gradients, strict=True)}
    buffers = {name: buffer.clone() for name, buffer in toy.model.named_buffers()}
    inputs, targets = toy.held_out
    predictions = functional_call(toy.model, {**moved, **buffers}, (inputs,))
    return sum(task.loss(predictions[task.name], targets[task.name]).item() for task in toy.tasks)


def test_auto_lambda(toy):
    """Two steps against finite differences of the held-out loss in w, and Adam written out."""
    method = build_method("auto_lambda", len(toy.tasks), weight_learning_rate=0.02).double()
    weights, mean, square = np.full(len(toy.tasks), 0.1), 0.0, 0.0
    for count in (1, 2):
        h = 1e-4 * np.eye(len(toy.tasks))
        slope = np.array([held_out_loss(toy, weights + e) - held_out_loss(toy, weights - e) for e in h]) / 2e-4
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        corrected = (mean / (1 - 0.9**count)) / (np.sqrt(square / (1 - 0.999**count)) + 1e-8)
        weights = weights - 0.02 * corrected
        encoder, _, returned = toy.backward(method)
        np.testing.assert_allclose(method.adam.exp_avg, mean, rtol=1e-5, atol=1e-12)
        np.testing.assert_allclose(returned, weights, rtol=1e-6)
        np.testing.assert_allclose(encoder, weights @ toy.jacobian(), rtol=1e-5, atol=1e-9)


def test_auto_lambda_leaves_model_and_batchnorm_alone_and_never_goes_below_zero(toy):
    method = build_method("auto_lambda", len(toy.tasks), initial_weight=0.0, weight_learning_rate=1.0).double()
    step = toy.step()
    before = {name: value.clone() for name, value in toy.model.state_dict().items()}
    toy.model.zero_grad()
    assert (method.backward(step) >= 0).all()
    method._weight_gradient(toy.step())
    for name in ("weight", "bias"):
        assert torch.equal(toy.model.state_dict()[f"encoder.0.{name}"], before[f"encoder.0.{name}"])
    # The second forward above is the only one that may count.
    assert toy.model.state_dict()["encoder.1.num_batches_tracked"] == before["encoder.1.num_batches_tracked"] + 1


def test_graddrop(toy):
    jacobian = toy.jacobian()
    torch.manual_seed(5)
    encoder, heads, _ = toy.backward(build_method("graddrop", len(toy.tasks)))
    torch.manual_seed(5)
    draw = torch.rand(jacobian.shape[1], dtype=torch.float64).numpy()
    total = np.abs(jacobian).sum(axis=0)
    purity = 0.5 * (1 + np.divide(jacobian.sum(axis=0), total, out=np.zeros_like(total), where=total > 0))
    keep = ((purity > draw) & (jacobian > 0)) | ((purity < draw) & (jacobian < 0))
    np.testing.assert_allclose(encoder, (keep * jacobian).sum(axis=0), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(np.concatenate(heads), np.concatenate(toy.head_gradients()), rtol=1e-10, atol=1e-14)


def project(jacobian: np.ndarray, task: int, order: tuple[int, ...]) -> np.ndarray:
    gradient = jacobian[task].copy()
    for other in order:
        gradient -= min(0.0, gradient @ jacobian[other]) / (jacobian[other] @ jacobian[other]) * jacobian[other]
    return gradient


def test_pcgrad(toy):
    """The order is random: the result is one of those that all orders give."""
    jacobian, tasks = toy.jacobian(), range(len(toy.tasks))
    orders = [itertools.permutations([j for j in tasks if j != i]) for i in tasks]
    possible = [sum(project(jacobian, i, order[i]) for i in tasks) for order in itertools.product(*orders)]
    encoder, heads, weights = toy.backward(build_method("pcgrad", len(toy.tasks)))
    assert min(np.abs(encoder - candidate).max() for candidate in possible) < 1e-12
    assert np.abs(encoder - jacobian.sum(axis=0)).max() > 1e-4  # a projection took place
    np.testing.assert_allclose(encoder, weights.numpy() @ jacobian, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(np.concatenate(heads), np.concatenate(toy.head_gradients()), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("c", [0.0, 0.4])
def test_cagrad(toy, c):
    jacobian, tasks = toy.jacobian(), len(toy.tasks)
    average = jacobian.mean(axis=0)
    radius = c * np.linalg.norm(average)
    unit = np.linalg.norm(average) ** 2
    solution = minimize(
        lambda w: (w @ jacobian @ average + radius * np.linalg.norm(w @ jacobian)) / unit,
        np.full(tasks, 1 / tasks),
        bounds=[(0, 1)] * tasks,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        tol=1e-14,
    )
    worst = solution.x @ jacobian
    expected = tasks / (1 + c**2) * (average + radius / np.linalg.norm(worst) * worst)
    encoder, heads, weights = toy.backward(build_method("cagrad", tasks, c=c))
    np.testing.assert_allclose(encoder, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(encoder, weights.numpy() @ jacobian, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(np.concatenate(heads), np.concatenate(toy.head_gradients()), rtol=1e-10, atol=1e-14)


def nash_weights(jacobian: np.ndarray) -> np.ndarray:
    """Damped Newton on ½αᵀGα − Σ log α, whose only stationary point is Gα = 1/α."""
    lengths = np.linalg.norm(jacobian, axis=1)
    gramian = (jacobian @ jacobian.T) / np.outer(lengths, lengths)
    alpha = np.ones(len(jacobian))
    for _ in range(200):
        gradient = gramian @ alpha - 1 / alpha
        move = np.linalg.solve(gramian + np.diag(alpha**-2.0), gradient)
        decrement = np.sqrt(gradient @ move)
        alpha = alpha - move / (1 + decrement)
    return alpha / lengths


@pytest.mark.parametrize("max_norm", [0.0, 1.0])
def test_nash_mtl(toy, max_norm):
    alpha = nash_weights(toy.jacobian())
    expected = alpha @ toy.jacobian()
    np.testing.assert_allclose(np.linalg.norm(expected), np.sqrt(len(toy.tasks)), rtol=1e-8)
    if max_norm:
        expected *= max_norm / np.linalg.norm(expected)
    encoder, heads, weights = toy.backward(build_method("nash_mtl", len(toy.tasks), max_norm=max_norm))
    np.testing.assert_allclose(weights, alpha, rtol=1e-5)
    np.testing.assert_allclose(encoder, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    for weight, head, own in zip(alpha, heads, toy.head_gradients(), strict=True):
        np.testing.assert_allclose(head, weight * own, rtol=1e-5, atol=1e-12)


def test_nash_mtl_updates_weights_only_every_so_often(toy):
    method = build_method("nash_mtl", len(toy.tasks), update_weights_every=2)
    first = toy.backward(method)[2]
    toy.factors = tuple(2.0 + k for k in range(len(toy.tasks)))
    assert torch.equal(toy.backward(method)[2], first)
    np.testing.assert_allclose(toy.backward(method)[2], nash_weights(toy.jacobian()), rtol=1e-5)


def test_imtl(toy):
    method = build_method("imtl", len(toy.tasks)).double()
    s = np.linspace(-0.5, 0.7, len(toy.tasks))
    method.log_scales.data = torch.from_numpy(s.copy())
    scaled = np.exp(s)[:, None] * toy.jacobian()
    units = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    # The closed form of the paper: α_2… = g_1 Uᵀ (D Uᵀ)⁻¹, with U and D the differences to task 1.
    differences, unit_differences = scaled[0] - scaled[1:], units[0] - units[1:]
    rest = scaled[0] @ unit_differences.T @ np.linalg.inv(differences @ unit_differences.T)
    alpha = np.concatenate([[1 - rest.sum()], rest])
    encoder, heads, weights = toy.backward(method)
    np.testing.assert_allclose(encoder, alpha @ scaled, rtol=1e-6, atol=1e-8 * np.abs(scaled).max())
    np.testing.assert_allclose(units @ encoder, np.full(len(alpha), units[0] @ encoder), rtol=1e-6)
    np.testing.assert_allclose(weights, alpha * np.exp(s), rtol=1e-6)
    for scale, head, own in zip(np.exp(s), heads, toy.head_gradients(), strict=True):
        np.testing.assert_allclose(head, scale * own, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(method.log_scales.grad, np.exp(s) * toy.losses() - 1, rtol=1e-10)
