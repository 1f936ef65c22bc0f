"""The rivals of sample weighting, in float64 against their formulas in NumPy, and what they must survive."""

from __future__ import annotations

import copy
import io
from functools import partial

import numpy as np
import pytest
import torch
from toy_problem import Toy, flat, make_toy

from dgr.core.errors import DGRError
from dgr.methods.cosine_similarity import CosineSimilarity
from dgr.methods.gradnorm import GradNorm
from dgr.methods.ol_aux import LARGEST_WEIGHT, OLAux
from dgr.methods.random_weighting import RandomWeighting

RIVALS = {
    "random_weighting": RandomWeighting,
    "cosine_similarity": partial(CosineSimilarity, main_task="task0"),
    "ol_aux": partial(OLAux, main_task="task0", horizon=2),
    "gradnorm": GradNorm,
}
ONE_MAIN_TASK = {"cosine_similarity": CosineSimilarity, "ol_aux": OLAux}


@pytest.fixture(params=[(2, 0, True), (3, 1, True), (3, 2, False)], ids=["2tasks", "3tasks", "3tasks-random-labels"])
def toy(request) -> Toy:
    num_tasks, seed, conflict = request.param
    return make_toy(num_tasks, seed=seed, conflict=conflict)


def check_gradients(toy: Toy, encoder: np.ndarray, heads: list[np.ndarray], weights: np.ndarray, of_heads: np.ndarray):
    jacobian = toy.jacobian()
    np.testing.assert_allclose(encoder, weights @ jacobian, rtol=1e-9, atol=1e-12 * np.abs(jacobian).max())
    for weight, head, own in zip(of_heads, heads, toy.head_gradients(), strict=True):
        np.testing.assert_allclose(head, weight * own, rtol=1e-9, atol=1e-14)


def test_random_weights_are_a_softmax_of_normal_draws_scaled_to_the_number_of_tasks(toy):
    method = RandomWeighting(len(toy.tasks))
    torch.manual_seed(4)
    draws = torch.randn(2, len(toy.tasks), dtype=torch.float64).numpy()
    torch.manual_seed(4)
    for draw in draws:
        expected = len(toy.tasks) * np.exp(draw) / np.exp(draw).sum()
        encoder, heads, weights = toy.backward(method)
        np.testing.assert_allclose(weights, expected, rtol=1e-12)
        check_gradients(toy, encoder, heads, expected, expected)


def cosines(jacobian: np.ndarray, main: int) -> np.ndarray:
    units = jacobian / np.linalg.norm(jacobian, axis=1, keepdims=True)
    return units @ units[main]


@pytest.mark.parametrize("main", [0, 1])
def test_cosine_similarity_adds_only_what_agrees_with_the_main_task(toy, main):
    method = CosineSimilarity(len(toy.tasks), main_task=f"task{main}").double()
    expected = np.maximum(0, cosines(toy.jacobian(), main))
    encoder, heads, weights = toy.backward(method)
    np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-12)
    assert weights[main] == 1
    check_gradients(toy, encoder, heads, expected, np.ones(len(toy.tasks)))


def test_the_toy_problems_hold_tasks_that_agree_and_tasks_that_conflict():
    found = np.concatenate([cosines(make_toy(3, seed=s, conflict=c).jacobian(), 0)[1:] for s, c in ((1, 1), (2, 0))])
    assert found.min() < -0.05
    assert found.max() > 0.05


def test_cosine_similarity_does_not_depend_on_the_size_of_the_losses(toy):
    method = CosineSimilarity(len(toy.tasks), main_task="task0").double()
    plain = toy.backward(method)[2]
    toy.factors = tuple(10.0 ** (12 - 24 * (k % 2)) for k in range(len(toy.tasks)))
    np.testing.assert_allclose(toy.backward(method)[2], plain, rtol=1e-9)


def test_ol_aux_moves_its_weights_every_horizon_steps_by_the_products_of_the_steps_since(toy):
    main, rate, horizon = 1, 0.3, 3
    method = OLAux(len(toy.tasks), f"task{main}", horizon, rate, initial_weight=0.5).double()
    expected, products = np.full(len(toy.tasks), 0.5), np.zeros(len(toy.tasks))
    for step in range(1, 8):
        toy.factors = tuple(1.0 + step + 2 * k for k in range(len(toy.tasks)))
        expected[main] = 1.0
        encoder, heads, weights = toy.backward(method)
        np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-12)
        check_gradients(toy, encoder, heads, expected, expected)
        products += toy.jacobian() @ toy.jacobian()[main]
        if step % horizon == 0:
            expected, products = np.maximum(0, expected + rate * products), np.zeros(len(toy.tasks))
    assert np.abs(np.delete(expected, main) - 0.5).min() > 1e-3


def test_ol_aux_keeps_its_weights_finite_and_not_negative():
    toy = make_toy(3, seed=2, dtype=torch.float32, conflict=False)
    toy.factors = (1e12, 1e12, 1e12)
    signs = np.sign(cosines(toy.jacobian(), 0))[1:]
    assert set(signs) == {-1, 1}
    method = OLAux(3, "task0", horizon=1)
    toy.backward(method)
    encoder, _, weights = toy.backward(method)
    assert weights.tolist() == [1.0, *(LARGEST_WEIGHT if sign > 0 else 0.0 for sign in signs)]
    assert np.isfinite(encoder).all()


@pytest.mark.parametrize("asymmetry", [0.0, 1.5])
def test_gradnorm_follows_its_loss_by_adam_and_keeps_the_sum_of_the_weights(toy, asymmetry):
    tasks = len(toy.tasks)
    method = GradNorm(tasks, asymmetry=asymmetry, weight_learning_rate=0.1).double()
    expected, mean, square, first = np.ones(tasks), 0.0, 0.0, None
    for count in range(1, 6):
        toy.factors = tuple(1.0 / (1 + 0.7 * k * count) for k in range(tasks))
        first = toy.losses() if first is None else first

        def loss(w, targets):
            return np.abs(w * np.linalg.norm(toy.jacobian(), axis=1) - targets).sum()

        ratios = toy.losses() / first
        lengths = expected * np.linalg.norm(toy.jacobian(), axis=1)
        targets = lengths.mean() * (ratios / ratios.mean()) ** asymmetry
        h = 1e-7 * np.eye(tasks)
        slope = np.array([loss(expected + e, targets) - loss(expected - e, targets) for e in h]) / 2e-7
        encoder, heads, weights = toy.backward(method)
        np.testing.assert_allclose(weights, expected, rtol=1e-5)
        check_gradients(toy, encoder, heads, weights.numpy(), weights.numpy())
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        step = (mean / (1 - 0.9**count)) / (np.sqrt(square / (1 - 0.999**count)) + 1e-8)
        expected = np.maximum(0, expected - 0.1 * step)
        expected *= tasks / expected.sum()
    np.testing.assert_allclose(method.adam.weights, expected, rtol=1e-5)
    assert np.abs(expected - 1).max() > 0.02


def test_gradnorm_brings_gradients_to_one_length_where_no_asymmetry_is_asked_for():
    toy = make_toy(3, seed=1)
    toy.factors = (1.0, 0.2, 3.0)
    norms = np.linalg.norm(toy.jacobian(), axis=1)
    method = GradNorm(3, asymmetry=0.0, weight_learning_rate=0.01).double()
    for _ in range(600):
        weights = toy.backward(method)[2].numpy()
    np.testing.assert_allclose(weights * norms / (weights * norms).mean(), np.ones(3), atol=0.1)


def test_gradnorm_survives_a_step_size_that_would_take_every_weight_below_zero():
    toy = make_toy(2, dtype=torch.float32)
    method = GradNorm(2, weight_learning_rate=1e6)
    for factors in ((1.0, 1.0), (5.0, 0.1), (0.1, 5.0), (0.0, 0.0)):
        toy.factors = factors
        _, _, weights = toy.backward(method)
        assert (weights >= 0).all()
        assert weights.sum().item() == pytest.approx(2)


@pytest.mark.parametrize("name", ONE_MAIN_TASK)
def test_a_main_task_has_to_be_named(name):
    with pytest.raises(DGRError, match=f"Method '{name}' serves one main task; name it with the option 'main_task'"):
        ONE_MAIN_TASK[name](2)


@pytest.mark.parametrize("name", ONE_MAIN_TASK)
def test_an_unknown_main_task_names_the_nearest(name):
    with pytest.raises(DGRError, match=f"'taks1' of method '{name}' is no task here; did you mean 'task1'"):
        make_toy(2).backward(ONE_MAIN_TASK[name](2, main_task="taks1").double())


@pytest.mark.parametrize(
    ("build", "option", "value"),
    [
        (RIVALS["ol_aux"], "horizon", 0),
        (RIVALS["ol_aux"], "weight_learning_rate", 0.0),
        (RIVALS["ol_aux"], "initial_weight", -1.0),
        (RIVALS["gradnorm"], "asymmetry", -0.1),
        (RIVALS["gradnorm"], "weight_learning_rate", float("nan")),
    ],
)
def test_values_out_of_range(build, option, value):
    with pytest.raises(DGRError, match=f"Option '{option}' of method"):
        build(2, **{option: value})


@pytest.mark.parametrize("name", RIVALS)
def test_the_penalty_is_added_to_the_encoder_and_reaches_nothing_else(name):
    toy = make_toy(3)
    method = RIVALS[name](3).double()
    torch.manual_seed(1)
    encoder, heads, weights = toy.backward(copy.deepcopy(method))
    toy.penalty = True
    part = flat(torch.autograd.grad(toy.step().penalty, toy.shared))
    torch.manual_seed(1)
    with_penalty, same_heads, same_weights = toy.backward(method)
    np.testing.assert_allclose(with_penalty, encoder + part, rtol=1e-9, atol=1e-14)
    assert np.abs(part).max() > 1e-6
    assert np.array_equal(np.concatenate(same_heads), np.concatenate(heads))
    assert torch.equal(same_weights, weights)


@pytest.mark.parametrize("name", RIVALS)
def test_losses_of_very_different_size_leave_everything_finite(name):
    toy = make_toy(3, dtype=torch.float32)
    method = RIVALS[name](3)
    for factors in ((1e12, 1e-12, 1.0), (1e-12, 1e12, 1e12), (1e12, 1e12, 0.0), (0.0, 0.0, 0.0), (1e-12,) * 3):
        toy.factors = factors
        for _ in range(3):
            encoder, heads, weights = toy.backward(method)
            assert np.isfinite(encoder).all()
            assert np.isfinite(np.concatenate(heads)).all()
            assert weights.isfinite().all()


@pytest.mark.parametrize("name", RIVALS)
def test_a_loaded_state_continues_bit_for_bit(name):
    def run(toy: Toy, method: torch.nn.Module, steps: range) -> list[list[float]]:
        found = []
        for step in steps:
            toy.factors = (1.0, 1 + step / 3, 1 / (1 + step))
            found.append(toy.backward(method)[2].tolist())
        return found

    toy, method = make_toy(3, dtype=torch.float32), RIVALS[name](3)
    torch.manual_seed(0)
    run(toy, method, range(5))
    file = io.BytesIO()
    torch.save({"method": method.state_dict(), "random": torch.get_rng_state()}, file)
    expected = run(toy, method, range(5, 10))
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    new = RIVALS[name](3)
    new.load_state_dict(saved["method"])
    torch.set_rng_state(saved["random"])
    assert run(make_toy(3, dtype=torch.float32), new, range(5, 10)) == expected
    if method.state_dict() or name == "random_weighting":
        assert len({tuple(weights) for weights in expected}) > 1
