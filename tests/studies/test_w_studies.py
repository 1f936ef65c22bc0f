from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.optimize import minimize
from torch import nn

from dgr.core.errors import DGRError
from dgr.models.model import MultiTaskModel
from dgr.studies import alignment as alignment_study
from dgr.studies import noisy_task, transfer
from dgr.studies.alignment import Alignment
from dgr.studies.alignment_layers import FRONTS, moved
from dgr.studies.linear_tasks import draw_tasks
from dgr.studies.misaligned import DigitsData, SyntheticData, draw_data, plane_rotation
from dgr.studies.noisy_task import NoisyTask
from dgr.studies.transfer import Sample, Transfer, fit_linear

TRANSFER = {
    "kind": "transfer",
    "dimension": 20,
    "scale": 10,
    "cosine": 0.96,
    "target_samples": 5,
    "validation_samples": 50,
    "levels": [20, 40],
    "settings": {
        "linear": {"labels": "linear", "order": "RQD"},
        "relu": {"labels": "relu", "order": "RQD"},
        "classification": {"labels": "classification", "order": "RDQ"},
    },
    "penalty": 0.01,
    "starts": 2,
    "start_scale": 0.1,
    "iterations": 3000,
}
SYNTHETIC = {"kind": "synthetic", "dimension": 6, "decay": 0.5, "noise": 0.1, "train": 60, "test": 60}
TRAINING = {"steps": 40, "joint_steps": 20, "batch_size": 20, "learning_rate": 0.01}
ALIGNMENT = {
    "kind": "alignment",
    "levels": [0, 90],
    "settings": {
        "synthetic": {"data": SYNTHETIC, "width": 1, "activation": "identity", **TRAINING},
        "digits": {
            "data": {"kind": "digits", "train": 50, "test": 50},
            "width": 4,
            "activation": "relu",
            **TRAINING,
        },
    },
}
NOISY = {
    "kind": "noisy_task",
    "digits": {"train": 100, "test": 100},
    "noisy_task": "odd",
    "levels": [0, 100],
    "width": 8,
    "epochs": 2,
    "batch_size": 50,
    "learning_rate": 0.01,
    "methods": [{"name": "equal_weighting"}, {"name": "svd_reweighting"}],
}
STUDIES = {
    "transfer": (transfer.run, Transfer(**TRANSFER)),
    "alignment": (alignment_study.run, Alignment(**ALIGNMENT)),
    "noisy_task": (noisy_task.run, NoisyTask(**NOISY)),
}
COMPARED = [
    ("single_task", "{result}"),
    *itertools.product(("equal_weighting", *FRONTS), ("{result}", "similarity", "cosine")),
]
CELLS = {
    "transfer": {
        (setting, level, method, "gain_over_single_task")
        for setting in ("linear", "relu", "classification")
        for level in (20, 40)
        for method in ("same_covariance", "other_covariance", "rotated")
    },
    "alignment": {
        (setting, level, method, measure.format(result=result))
        for setting, result in (("synthetic", "test_error"), ("digits", "accuracy"))
        for level in (0, 90)
        for method, measure in COMPARED
    },
    "noisy_task": {
        ("digits", level, method, measure)
        for level in (0, 100)
        for method, measure in [
            *itertools.product(("equal_weighting", "svd_reweighting"), ("clean_tasks", "noisy_task")),
            ("svd_reweighting", "noisy_weight"),
        ]
    },
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_complete_finite_and_the_same_again(name):
    run, config = STUDIES[name]
    torch.manual_seed(1)
    rows = list(run(config, 3))
    assert sorted(row[:4] for row in rows) == sorted(CELLS[name])
    assert all(math.isfinite(row.value) for row in rows)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert list(run(config, 3)) == rows
    assert torch.equal(torch.get_rng_state(), state)
    other = list(run(config, 4))
    assert [row.value for row in other] != [row.value for row in rows]


def test_sampled_inputs_have_the_covariance_that_is_claimed():
    for order in ("RQD", "RDQ"):
        tasks = draw_tasks(20, 10.0, 0.96, order, np.random.default_rng(0))
        for task in tasks:
            inputs = task.inputs(200_000, np.random.default_rng(1))
            error = np.abs(inputs.T @ inputs / len(inputs) - task.covariance).max()
            assert error < 0.02 * task.covariance.max()
            assert np.var(inputs @ task.theta) == pytest.approx(task.variance, rel=0.02)
            # A tenth of the eigenvalues is κ², the others are 1.
            np.testing.assert_allclose(np.linalg.eigvalsh(task.covariance), [1] * 18 + [100] * 2)


def test_coefficients_have_the_exact_cosine():
    first, *others = draw_tasks(50, 10.0, 0.96, "RQD", np.random.default_rng(0))
    for other in others:
        assert other.theta @ first.theta == pytest.approx(0.96, abs=1e-12)
        assert np.linalg.norm(other.theta) == pytest.approx(1.0)


def test_as_written_a_rotation_leaves_the_covariance_and_in_the_other_order_it_does_not():
    written = [task.covariance for task in draw_tasks(20, 10.0, 0.96, "RQD", np.random.default_rng(0))]
    np.testing.assert_allclose(written[3], written[0], atol=1e-10)
    assert np.abs(written[2] - written[0]).max() == pytest.approx(99)
    assert written[0].ravel() @ written[2].ravel() == pytest.approx(4 * 100 + 16)  # the large ones are disjoint
    turned = [task.covariance for task in draw_tasks(20, 10.0, 0.96, "RDQ", np.random.default_rng(0))]
    np.testing.assert_allclose(turned[1], turned[0], atol=1e-10)
    assert np.abs(turned[2] - turned[0]).max() > 1
    assert np.abs(turned[3] - turned[0]).max() > 1


def regression(seed, samples, theta):
    inputs = np.random.default_rng(seed).standard_normal((samples, len(theta)))
    return Sample(inputs, inputs @ theta + np.random.default_rng(seed + 50).standard_normal(samples))


def test_one_task_alone_is_fitted_by_least_squares():
    sample = regression(0, 12, np.arange(5.0))
    wanted = np.linalg.solve(sample.inputs.T @ sample.inputs, sample.inputs.T @ sample.targets)
    np.testing.assert_allclose(fit_linear([sample]).direction, wanted)


def test_two_tasks_with_the_same_coefficients_are_fitted_like_one_stack_of_samples():
    theta = np.arange(1, 6.0)
    first, second = (Sample(r.inputs, r.inputs @ theta) for r in (regression(0, 4, theta), regression(1, 6, theta)))
    found = fit_linear([first, second])
    stacked = np.linalg.lstsq(np.vstack([first.inputs, second.inputs]), np.r_[first.targets, second.targets])[0]
    np.testing.assert_allclose(found.direction * found.factors[0], stacked, rtol=1e-6)
    np.testing.assert_allclose(found.direction * found.factors[1], stacked, rtol=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_no_other_start_finds_a_better_fit_of_two_tasks(sign):
    theta = np.arange(1, 6.0)
    samples = [regression(2, 8, theta), regression(3, 12, sign * theta[::-1])]

    def unexplained(vector):
        pairs = zip(samples, vector[5:], strict=True)
        return sum(np.sum((s.inputs @ vector[:5] * factor - s.targets) ** 2) for s, factor in pairs)

    found = fit_linear(samples)
    starts = [np.random.default_rng(seed).standard_normal(7) for seed in range(5)]
    best = min(minimize(unexplained, start, tol=1e-9).fun for start in starts)
    assert unexplained(np.r_[found.direction, found.factors]) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("labels", ["relu", "classification"])
def test_gradients_are_those_of_finite_differences(labels):
    generator = np.random.default_rng(0)
    samples = [
        Sample(generator.standard_normal((9, 5)), np.where(generator.standard_normal(9) > 0, 1.0, -1)) for _ in range(2)
    ]
    vector = generator.standard_normal(7)
    _, gradient = transfer._objective(vector, labels, samples, 0.3)
    steps = 1e-6 * np.eye(7)
    numeric = [
        (
            transfer._objective(vector + s, labels, samples, 0.3)[0]
            - transfer._objective(vector - s, labels, samples, 0.3)[0]
        )
        / 2e-6
        for s in steps
    ]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6)


def test_a_source_with_the_same_coefficients_settles_the_target():
    config = Transfer(**TRANSFER | {"cosine": 1.0, "settings": {"linear": TRANSFER["settings"]["linear"]}})
    generator = np.random.default_rng(transfer.seed_for("transfer", 0, "split"))
    task = draw_tasks(20, 10.0, 1.0, "RQD", generator)[0]
    alone = transfer.draw_sample(task, "linear", 5, generator)
    validation = transfer.draw_sample(task, "linear", 50, generator)
    error = validation.inputs @ fit_linear([alone]).direction - validation.targets
    loss = np.mean(error**2) / np.var(validation.targets)
    assert loss > 0.1
    for row in transfer.run(config, 0):
        assert row.value == pytest.approx(-loss, abs=1e-6)


def test_too_few_samples_for_a_unique_optimum_are_refused():
    with pytest.raises(ValidationError, match="must together exceed dimension"):
        Transfer(**TRANSFER | {"levels": [15]})


def test_a_search_that_was_cut_off_is_no_result():
    with pytest.raises(DGRError, match="'relu' is not fitted after 3 iterations; raise 'iterations'"):
        list(transfer.run(Transfer(**TRANSFER | {"iterations": 3}), 0))


def test_planes_are_turned_by_the_angle():
    turn = plane_rotation(6, 60.0, np.random.default_rng(0))
    np.testing.assert_allclose(turn @ turn.T, np.eye(6), atol=1e-12)
    vector = np.random.default_rng(1).standard_normal(6)
    assert vector @ turn @ vector / (vector @ vector) == pytest.approx(0.5)
    np.testing.assert_allclose(plane_rotation(6, 0.0, np.random.default_rng(0)), np.eye(6), atol=1e-12)


@pytest.mark.parametrize("config", [SyntheticData(**SYNTHETIC), DigitsData(kind="digits", train=50, test=50)])
def test_levels_differ_in_the_second_task_s_inputs_alone(config):
    straight, turned = (draw_data(config, degrees, 0) for degrees in (0, 90))
    assert torch.equal(straight[0].train.inputs, turned[0].train.inputs)
    assert not torch.allclose(straight[1].train.inputs, turned[1].train.inputs, atol=0.1)
    for one, other in zip(straight, turned, strict=True):
        assert torch.equal(one.train.targets, other.train.targets)
    norms = [data[1].test.inputs.norm(dim=1) for data in (straight, turned)]
    # A quarter turn of an image moves its pixels, and a turn of planes keeps lengths.
    torch.testing.assert_close(norms[0], norms[1], rtol=1e-3, atol=1e-3)


def test_no_digit_is_in_two_places():
    first, second = draw_data(DigitsData(kind="digits", train=50, test=50), 0, 0)
    parts = [(data.train.inputs + shift, data.test.inputs + shift) for data, shift in ((first, 0), (second, 0))]
    images = torch.cat([part for pair in parts for part in pair])
    assert len({tuple(row) for row in images.tolist()}) == 200
    assert torch.equal(torch.bincount(first.train.targets), torch.full((10,), 5))
    np.testing.assert_allclose(second.train.inputs.mean(dim=0), 0, atol=1e-6)


def test_alignment_undoes_a_rotation_that_one_shared_direction_cannot_follow():
    block = ALIGNMENT["settings"]["synthetic"]
    config = Alignment(
        kind="alignment", levels=[90], settings={"synthetic": block | {"steps": 600, "joint_steps": 200}}
    )
    errors = {row.method: row.value for row in alignment_study.run(config, 0) if row.measure == "test_error"}
    # Two orthogonal directions of equal strength, of which one layer of width one can follow one.
    assert errors["equal_weighting"] > 0.3
    assert errors["common_layers"] > 0.3, "as many numbers, but nothing to align with"
    assert errors["covariance_alignment"] < 0.1
    assert errors["orthogonal_alignment"] < 0.1


def small_model(width=6):
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(width, 3, bias=False), nn.ReLU())
    return MultiTaskModel(encoder, {name: nn.Linear(3, 2) for name in ("a", "b")})


@pytest.mark.parametrize("name", FRONTS)
def test_what_is_put_in_front_starts_as_nothing_and_leaves_the_shared_layer_alone(name):
    model, inputs = small_model(), torch.randn(5, 6)
    before = {task: prediction.detach() for task, prediction in model(inputs).items()}
    front = FRONTS[name](model, 6)
    for task, prediction in front(inputs).items():
        torch.testing.assert_close(prediction, before[task])
    shared = model.encoder[0].weight.clone()
    optimizer = torch.optim.SGD([p for p in front.parameters() if p.requires_grad], 0.1)
    for _ in range(20):
        optimizer.zero_grad()
        predictions = front(inputs)
        (predictions["a"].square().sum() + (predictions["b"] - 1).square().sum()).backward()
        optimizer.step()
    assert torch.equal(model.encoder[0].weight, shared)
    first, second = moved(front, [inputs.double(), inputs.double()])
    assert not torch.allclose(first, inputs.double(), atol=1e-3)
    assert torch.allclose(first, second, atol=1e-6) == (name == "common_layers")
    for task, seen in (("a", first), ("b", second)):  # what the frozen layer sees is what `moved` says
        torch.testing.assert_close(front(inputs)[task], model.heads[task](model.encoder(seen.float())))
    if name == "orthogonal_alignment":
        torch.testing.assert_close(first @ first.T, inputs.double() @ inputs.double().T, rtol=1e-4, atol=1e-4)


def test_common_layers_have_as_many_numbers_as_alignment():
    sizes = {
        name: sum(p.numel() for p in front(small_model(), 6).parameters() if p.requires_grad)
        for name, front in FRONTS.items()
    }
    assert sizes["common_layers"] == sizes["covariance_alignment"] == 2 * 36 + 2 * (3 * 2 + 2)


def test_random_labels_are_as_many_as_said_and_on_one_task_only():
    data = noisy_task.draw_question_splits(NoisyTask(**NOISY | {"digits": {"train": 1000, "test": 10}}), 0)["train"]
    few, many = (noisy_task.randomise(data, "odd", share, 0) for share in (0.2, 0.4))
    changed = [(noisy.targets["odd"] != data.targets["odd"]) for noisy in (few, many)]
    assert changed[0].double().mean().item() == pytest.approx(0.1, abs=0.03)
    assert changed[1].double().mean().item() == pytest.approx(0.2, abs=0.04)
    assert changed[1][changed[0]].all()
    for name in set(data.targets) - {"odd"}:
        assert torch.equal(many.targets[name], data.targets[name])


def test_answers_follow_the_digit():
    answers = {name: {digit for digit in range(10) if digit in yes} for name, yes in noisy_task.QUESTIONS.items()}
    assert answers["odd"] == {d for d in range(10) if d % 2}
    assert answers["five_or_more"] == {d for d in range(10) if d >= 5}
    assert answers["multiple_of_three"] == {d for d in range(10) if d % 3 == 0}
    shares = {
        n: t.double().mean().item()
        for n, t in noisy_task.draw_question_splits(NoisyTask(**NOISY), 0)["test"].targets.items()
    }
    assert shares == {name: pytest.approx(len(yes) / 10) for name, yes in answers.items()}


def test_a_task_of_only_random_labels_loses_weight():
    rows = [row for row in noisy_task.run(NoisyTask(**NOISY), 0) if row.measure == "noisy_weight"]
    clean, noisy = (row.value for row in rows)
    assert noisy < clean
