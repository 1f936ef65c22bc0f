"""The studies with wrong targets and wrong labels: what is corrupted, what is measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dgr.core.config import MethodConfig
from dgr.methods import build_method
from dgr.studies import flipped_labels, noisy_regression
from dgr.studies.sample_detection import detection
from dgr.studies.samples import Samples, Schedule, method_for, method_label, train

REGRESSION = noisy_regression.NoisyRegression(
    kind="noisy_regression",
    inputs=20,
    samples={"train": 60, "val": 20, "test": 20},
    scales=[1.0, 2.0],
    task_variance=3.5,
    noise=["constant", "gaussian"],
    levels=[0.0, 0.5],
    width=8,
    shared_layers=2,
    task_layers=2,
    epochs=2,
    batch_size=10,
    held_out_size=10,
    learning_rate=1e-2,
    momentum=0.9,
    methods=[MethodConfig(name="equal_weighting"), MethodConfig(name="slgrad")],
)
LABELS = flipped_labels.FlippedLabels(
    kind="flipped_labels",
    digits={"train": 100, "val": 20, "test": 40},
    main_digit=3,
    flips=["uniform", "background"],
    levels=[0.6],
    epochs=1,
    batch_size=20,
    held_out_size=20,
    learning_rate=1e-2,
    momentum=0.9,
    methods=[MethodConfig(name="slgrad"), MethodConfig(name="cosine_similarity")],
)


def test_targets_are_the_formula_and_tasks_share_b():
    data = noisy_regression.make_data(REGRESSION, seed=3)
    assert {name: len(split) for name, split in data.items()} == REGRESSION.samples
    x = data["train"].inputs.double().numpy()
    for index, name in enumerate(("main", "other")):
        y = data["train"].targets[name].double().numpy()[:, 0]
        sigma = REGRESSION.scales[index]
        assert ((y >= 0) & (y <= sigma)).all()
        # |artanh(y/σ)| = |(B + ε)x|: linear in x up to sign where tanh is not saturated.
        inside = (y > 0.05 * sigma) & (y < 0.95 * sigma)
        assert inside.any()
        every = np.concatenate([data[split].inputs.double().numpy() for split in data])
        magnitude = np.arctanh(y[inside] / sigma)
        assert (magnitude <= np.linalg.norm(x[inside], axis=1) * np.sqrt(20 * (1 + 3.5)) * 3).all()
        assert abs(every.mean()) < 0.1


@pytest.mark.parametrize("noise", ["constant", "gaussian"])
def test_a_share_of_the_main_targets_is_replaced_and_nothing_else(noise):
    clean = noisy_regression.make_data(REGRESSION, seed=1)["train"]
    data, wrong = noisy_regression.corrupt(clean, noise, 0.5, seed=1)
    assert wrong.sum() == 30
    assert torch.equal(data.targets["other"], clean.targets["other"])
    assert torch.equal(data.targets["main"][~wrong], clean.targets["main"][~wrong])
    replaced = data.targets["main"][wrong]
    assert (
        (replaced == -0.5).all() if noise == "constant" else replaced.std().item() == pytest.approx(0.2**0.5, rel=0.4)
    )
    more = noisy_regression.corrupt(clean, noise, 0.7, seed=1)[1]
    assert more[wrong].all(), "a larger share contains the smaller one"


def test_uniform_flips_change_the_main_label_only_where_the_main_digit_is_involved():
    splits = flipped_labels.draw_digits(LABELS, seed=0)
    images, digits = splits["train"]
    data, wrong, possible = flipped_labels.corrupt((images, digits), 3, "uniform", 0.6, seed=0)
    assert possible.all()
    truth = (digits == 3).long()
    assert torch.equal(wrong, data.targets["digit3"] != truth)
    # Of 60 flips, those of the main digit are all wrong; of the others about one in nine becomes the main digit.
    assert wrong[digits == 3].sum() <= (digits == 3).sum()
    assert 0 < wrong[digits != 3].sum() < 20
    for digit in set(range(10)) - {3}:
        assert torch.equal(data.targets[f"digit{digit}"], (digits == digit).long())


def test_flips_to_background_leave_other_digits_alone():
    images, digits = flipped_labels.draw_digits(LABELS, seed=0)["train"]
    data, wrong, possible = flipped_labels.corrupt((images, digits), 3, "background", 0.6, seed=0)
    assert torch.equal(possible, digits == 3)
    assert wrong.sum() == 6
    assert wrong[digits != 3].sum() == 0
    assert not data.targets["digit3"][wrong].any()


def test_splits_of_digits_share_no_image():
    splits = flipped_labels.draw_digits(LABELS, seed=0)
    seen = [image.numpy().tobytes() for images, _ in splits.values() for image in images]
    assert len(seen) == len(set(seen)) == 160
    assert all(torch.bincount(digits).tolist() == [len(digits) // 10] * 10 for _, digits in splits.values())


def test_detection_of_perfect_and_of_useless_weights():
    wrong = torch.tensor([True, True, False, False, False, False])
    perfect = dict(detection(torch.tensor([0.0, 0.1, 1.0, 2.0, 3.0, 4.0]), wrong))
    assert perfect == {"detection_auc": 1.0} | {
        f"found_at_{rate}": 1.0 for rate in ("0.01", "0.05", "0.1", "0.2", "0.5")
    }
    constant = dict(detection(torch.ones(6), wrong))
    assert constant["detection_auc"] == 0.5
    assert constant["found_at_0.5"] == 0.0
    half = dict(detection(torch.tensor([0.0, 2.5, 1.0, 2.0, 3.0, 4.0]), wrong))
    assert half["detection_auc"] == 0.75
    assert (half["found_at_0.2"], half["found_at_0.5"]) == (0.5, 1.0)


@pytest.mark.parametrize(("module", "config"), [(noisy_regression, REGRESSION), (flipped_labels, LABELS)])
def test_rows_are_complete_finite_and_of_the_seed_alone(module, config):
    rows = list(module.run(config, 0))
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert list(module.run(config, 0)) == rows
    assert torch.equal(torch.get_rng_state(), state), "the caller's random state was touched"
    assert list(module.run(config, 1)) != rows
    assert all(np.isfinite(row.value) for row in rows)
    cells = {(row.setting, row.level, row.method) for row in rows}
    settings = config.noise if module is noisy_regression else config.flips
    assert cells == {(s, level, m.name) for s in settings for level in config.levels for m in config.methods}
    found = {(row.level, row.method) for row in rows if row.measure == "detection_auc"}
    assert found == {(level, "slgrad") for level in config.levels if level > 0}


def test_training_hands_each_method_what_it_needs():
    generator = torch.Generator().manual_seed(0)
    data = Samples(torch.randn(30, 20, generator=generator), {n: torch.randn(30, 1) for n in ("main", "other")})
    model = noisy_regression._model(REGRESSION)
    method = method_for(MethodConfig(name="slgrad"), 2, "main")
    seen, sizes = [], []
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    backward = method.backward
    method.backward = lambda step: (sizes.append(len(step.held_out[0])), backward(step))[1]
    train(
        model, noisy_regression.TASKS, method, optimizer, data, data, Schedule(2, 8, 5),
        torch.Generator().manual_seed(1), lambda rows: seen.append(rows),
    )  # fmt: skip
    assert sizes == [5] * 8
    for epoch in (seen[:4], seen[4:]):
        assert sorted(torch.cat(epoch).tolist()) == list(range(30))


def test_svd_reweighting_sees_the_training_data_before_the_first_step():
    data = Samples(torch.eye(20)[:12], {"main": torch.ones(12, 1), "other": torch.zeros(12, 1)})
    model = noisy_regression._model(REGRESSION)
    method = build_method("svd_reweighting", 2)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    train(
        model,
        noisy_regression.TASKS,
        method,
        optimizer,
        data,
        data,
        Schedule(1, 4, 4),
        torch.Generator().manual_seed(1),
    )
    assert method.weights.tolist() == pytest.approx([2.0, 0.0])


def test_methods_are_named_with_what_is_switched_on():
    assert method_label(MethodConfig(name="slgrad")) == "slgrad"
    options = {"second_order": True, "inner_learning_rate": 0.1}
    config = MethodConfig(name="single_gradient_step", options=options)
    assert method_label(config) == "single_gradient_step-second_order"
