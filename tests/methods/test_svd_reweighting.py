from __future__ import annotations

import numpy as np
import pytest
import torch
from toy_problem import make_toy

from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.methods.svd_reweighting import SVDReweighting

TASKS = [Task("a", "classification", 3), Task("b", "regression"), Task("c", "classification", 2)]


def made_up(samples=40, shape=(2, 3), seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(samples, *shape, generator=generator)
    targets = {
        "a": torch.randint(3, (samples,), generator=generator),
        "b": torch.randn(samples, 1, generator=generator),
        "c": torch.randint(2, (samples,), generator=generator),
    }
    return inputs, targets


def in_batches(inputs, targets, size):
    for rows in torch.arange(len(inputs)).split(size):
        yield inputs[rows], {name: target[rows] for name, target in targets.items()}


def expected(inputs, targets, tasks, rank):
    x = inputs.flatten(1).numpy().astype(np.float64)
    thetas = []
    for task in tasks:
        target = targets[task.name].numpy()
        y = np.eye(task.classes)[target] if task.kind == "classification" else target.astype(np.float64)
        thetas.append(x.T @ y)
    left = np.linalg.svd(np.hstack(thetas))[0][:, :rank]
    alphas = np.array([np.sqrt(np.sum((theta.T @ left) ** 2)) for theta in thetas])
    return len(tasks) * alphas / alphas.sum()


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("size", [40, 7])
def test_weights_are_those_of_numpy_however_the_split_is_cut(rank, size):
    inputs, targets = made_up()
    method = SVDReweighting(3, rank=rank)
    method.begin(TASKS, in_batches(inputs, targets, size))
    wanted = expected(inputs, targets, TASKS, rank)
    np.testing.assert_allclose(method.weights.numpy(), wanted, rtol=1e-10)
    assert np.ptp(wanted) > 0.1


def test_the_order_of_tasks_does_not_matter():
    inputs, targets = made_up()
    found = []
    for tasks in (TASKS, TASKS[::-1]):
        method = SVDReweighting(3, rank=2)
        method.begin(tasks, in_batches(inputs, targets, 10))
        found.append(method.weights.numpy())
    np.testing.assert_allclose(found[0], found[1][::-1], rtol=1e-10)


def test_a_task_in_a_direction_of_its_own_gets_no_weight_when_the_others_are_stronger():
    inputs = torch.eye(4)
    targets = {"a": torch.tensor([[2.0], [0], [0], [0]]), "b": torch.tensor([[1.0], [0], [0], [0]])}
    targets["c"] = torch.tensor([[0.0], [0], [1], [0]])
    method = SVDReweighting(3)
    method.begin([Task(name, "regression") for name in "abc"], [(inputs, targets)])
    np.testing.assert_allclose(method.weights.numpy(), [2, 1, 0], atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_minimises_the_weighted_sum_and_starts_with_equal_weights(dtype):
    toy = make_toy(3, dtype=dtype)
    method = SVDReweighting(3)
    before, *_ = toy.backward(method)
    np.testing.assert_allclose(before, toy.jacobian().sum(axis=0), rtol=1e-4, atol=1e-6)
    method.weights.copy_(torch.tensor([0.5, 1.5, 1.0]))
    after, _, weights = toy.backward(method)
    assert weights.dtype == dtype
    np.testing.assert_allclose(after, np.array([0.5, 1.5, 1.0]) @ toy.jacobian(), rtol=1e-4, atol=1e-6)


def test_a_resumed_method_keeps_its_weights_without_another_look_at_the_data():
    inputs, targets = made_up()
    method, other = SVDReweighting(3), SVDReweighting(3)
    method.begin(TASKS, in_batches(inputs, targets, 10))
    other.load_state_dict(method.state_dict())
    assert torch.equal(other.weights, method.weights)
    assert not torch.equal(other.weights, torch.ones_like(other.weights))


@pytest.mark.parametrize("rank", [0, 1.5, True, "1"])
def test_a_rank_that_is_no_positive_integer_is_refused(rank):
    with pytest.raises(DGRError, match="'rank' of method 'svd_reweighting' must be an integer of at least 1"):
        SVDReweighting(3, rank=rank)


def test_a_rank_above_the_number_of_tasks_is_refused():
    with pytest.raises(DGRError, match="at most the number of tasks, 3, but is 4"):
        SVDReweighting(3, rank=4)


@pytest.mark.parametrize("kind", ["segmentation", "depth", "disparity", "normals"])
def test_dense_tasks_are_refused(kind):
    with pytest.raises(DGRError, match="vector targets only, but task 'walls' is of kind '" + kind):
        SVDReweighting(1).begin([Task("walls", kind, 3)], [])


def test_too_little_rank_names_both():
    inputs = torch.ones(5, 4)
    targets = {"a": torch.ones(5, 1), "b": 2 * torch.ones(5, 1)}
    tasks = [Task(name, "regression") for name in "ab"]
    with pytest.raises(DGRError, match=r"has rank 2, but .* only rank 1; choose a lower rank"):
        SVDReweighting(2, rank=2).begin(tasks, [(inputs, targets)])
    with pytest.raises(DGRError, match=r"has rank 1, but .* only rank 0; inputs or targets are all zero"):
        SVDReweighting(2).begin(tasks, [(0 * inputs, targets)])


def test_an_empty_training_split_is_refused():
    with pytest.raises(DGRError, match="training split, but that is empty"):
        SVDReweighting(3).begin(TASKS, [])
