"""The studies with wrong targets and wrong labels: what is corrupted, what is measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dgr.config.parsing import parse
from dgr.config.runs import MethodConfig
from dgr.core.errors import DGRError
from dgr.studies import flipped_labels, noisy_regression, registry
from dgr.studies.compared import row_name
from dgr.studies.noisy_task import NoisyTask
from dgr.studies.sample_detection import CLEAN_ONLY, HELD_OUT_ONLY, WITH_HELD_OUT, detection
from dgr.studies.samples import Recipe, Samples, Schedule

REGRESSION = noisy_regression.NoisyRegression(
    kind="noisy_regression",
    inputs=20,
    samples={"train": 60, "val": 20, "test": 20},
    scales=[1.0, 2.0],
    task_variance=3.5,
    gain=1.5,
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
    config = REGRESSION.model_copy(update={"samples": {"train": 4000, "val": 20, "test": 20}})
    data = noisy_regression.make_data(config, seed=3)
    assert {name: len(split) for name, split in data.items()} == config.samples
    x = data["train"].inputs.double().numpy()
    directions = []
    for sigma, target in zip(config.scales, data["train"].targets.values(), strict=True):
        y = target.double().numpy()[:, 0]
        assert (np.abs(y) < sigma).all()
        # artanh(y/σ) is linear in x: least squares leaves nothing over, and gives a(B + ε)/√(d(1 + v)).
        inside = np.abs(y) < 0.99 * sigma
        found, *_ = np.linalg.lstsq(x[inside], np.arctanh(y[inside] / sigma))
        np.testing.assert_allclose(x[inside] @ found, np.arctanh(y[inside] / sigma), atol=1e-3)
        directions.append(found * (config.inputs * (1 + config.task_variance)) ** 0.5 / config.gain)
    whole = [np.concatenate([noisy_regression_direction(config, seed, k) for seed in range(200)]) for k in (0, 1)]
    assert np.var(whole[0]) == pytest.approx(1 + config.task_variance, rel=0.1)
    # B is common to the tasks, ε is not: the covariance is the variance of B.
    assert np.mean(whole[0] * whole[1]) == pytest.approx(1.0, abs=0.25)
    np.testing.assert_allclose(directions[0], noisy_regression_direction(config, 3, 0), atol=1e-3)


def noisy_regression_direction(config, seed, task):
    """B + ε of a task, in the order of drawing that the study's seeds stand for."""
    generator = noisy_regression.generator_for("noisy_regression", seed, "split")
    shared = torch.randn(config.inputs, generator=generator)
    own = config.task_variance**0.5 * torch.randn(2, config.inputs, generator=generator)
    return (shared + own[task]).double().numpy()


def test_targets_vary_and_right_ones_can_be_learned():
    """What the earlier form of the study lacked: a constant must be clearly worse than right targets."""
    config = REGRESSION.model_copy(
        update={"samples": {"train": 300, "val": 100, "test": 500}, "noise": ["constant"], "levels": [0.4],
                "epochs": 40, "width": 32, "methods": [MethodConfig(name="equal_weighting")]}
    )  # fmt: skip
    found = {row.method: row.value for row in noisy_regression.run(config, 1000) if row.measure == "main_error"}
    assert found[CLEAN_ONLY] < 0.5 * found["constant"]
    test = noisy_regression.make_data(config, 1000)["test"].targets["main"]
    assert found["constant"] == pytest.approx(test.var().item(), rel=0.1)


def test_the_rows_beside_the_methods_see_what_their_names_say(monkeypatch):
    config = REGRESSION.model_copy(update={"noise": ["constant"], "methods": [MethodConfig(name="equal_weighting")]})
    seen = []
    train = Recipe.train
    monkeypatch.setattr(Recipe, "train", lambda self, *a: (seen.append(a[1].targets["main"]), train(self, *a))[1])
    list(noisy_regression.run(config.model_copy(update={"levels": [0.5]}), 0))
    clean = noisy_regression.make_data(config, 0)
    held_out, plain, both, right = seen
    assert torch.equal(held_out, clean["val"].targets["main"])
    assert (plain == -0.5).sum() == 30
    assert torch.equal(both, torch.cat([plain, held_out]))
    assert torch.equal(right, clean["train"].targets["main"][(plain != -0.5)[:, 0]])


@pytest.mark.parametrize("noise", ["constant", "gaussian"])
def test_a_share_of_the_main_targets_is_replaced_and_nothing_else(noise):
    clean = noisy_regression.make_data(REGRESSION, seed=1)["train"]
    data, wrong = noisy_regression.corrupt_targets(clean, noise, 0.5, seed=1)
    assert wrong.sum() == 30
    assert torch.equal(data.targets["other"], clean.targets["other"])
    assert torch.equal(data.targets["main"][~wrong], clean.targets["main"][~wrong])
    replaced = data.targets["main"][wrong]
    assert (
        (replaced == -0.5).all() if noise == "constant" else replaced.std().item() == pytest.approx(0.2**0.5, rel=0.4)
    )
    more = noisy_regression.corrupt_targets(clean, noise, 0.7, seed=1)[1]
    assert more[wrong].all(), "a larger share contains the smaller one"


def test_uniform_flips_change_the_main_label_only_where_the_main_digit_is_involved():
    splits = flipped_labels.draw_digit_splits(LABELS, seed=0)
    images, digits = splits["train"]
    data, wrong = flipped_labels.flip_labels((images, digits), "uniform", 0.6, seed=0)
    truth = (digits == 3).long()
    assert torch.equal(wrong, data.targets["digit3"] != truth)
    # Of 60 flips, those of the main digit are all wrong; of the others about one in nine becomes the main digit.
    assert wrong[digits == 3].sum() <= (digits == 3).sum()
    assert 0 < wrong[digits != 3].sum() < 20
    for digit in set(range(10)) - {3}:
        assert torch.equal(data.targets[f"digit{digit}"], (digits == digit).long())


def test_flips_to_background_leave_other_digits_alone():
    images, digits = flipped_labels.draw_digit_splits(LABELS, seed=0)["train"]
    data, wrong = flipped_labels.flip_labels((images, digits), "background", 0.6, seed=0)
    assert wrong.sum() == 6
    assert wrong[digits != 3].sum() == 0
    assert not data.targets["digit3"][wrong].any()


def test_the_positive_control_sees_right_labels_and_the_others_do_not(monkeypatch):
    config = LABELS.model_copy(update={"flips": ["uniform"], "methods": [MethodConfig(name="equal_weighting")]})
    seen = []
    train = Recipe.train
    monkeypatch.setattr(Recipe, "train", lambda self, *a: (seen.append(a[1].targets["digit3"]), train(self, *a))[1])
    list(flipped_labels.run(config, 0, {}))
    truth = {name: (digits == 3).long() for name, (_, digits) in flipped_labels.draw_digit_splits(config, 0).items()}
    plain, both, held_out, right = seen
    assert not torch.equal(plain, truth["train"])
    assert torch.equal(both, torch.cat([plain, truth["val"]]))
    assert torch.equal(held_out, truth["val"])
    assert torch.equal(right, truth["train"])


def test_splits_of_digits_share_no_image():
    splits = flipped_labels.draw_digit_splits(LABELS, seed=0)
    seen = [image.numpy().tobytes() for images, _ in splits.values() for image in images]
    assert len(seen) == len(set(seen)) == 160
    assert all(torch.bincount(digits).tolist() == [len(digits) // 10] * 10 for _, digits in splits.values())


def test_detection_of_perfect_and_of_useless_weights():
    wrong = torch.tensor([True, True, False, False, False, False])
    rates = ("0.01", "0.05", "0.1", "0.2", "0.5")
    perfect = dict(detection(torch.tensor([0.0, 0.1, 1.0, 2.0, 3.0, 4.0]), wrong))
    assert perfect == {"detection_auc": 1.0} | {f"found_at_{rate}": 1.0 for rate in rates}
    constant = dict(detection(torch.ones(6), wrong))
    assert constant == pytest.approx({"detection_auc": 0.5} | {f"found_at_{rate}": float(rate) for rate in rates})
    half = dict(detection(torch.tensor([0.0, 2.5, 1.0, 2.0, 3.0, 4.0]), wrong))
    assert half["detection_auc"] == 0.75
    assert (half["found_at_0.2"], half["found_at_0.5"]) == (0.5, 1.0)


def test_what_the_given_label_alone_says_does_not_count():
    """Weights that only favour a rare label find nothing among samples of the same label."""
    wrong = torch.tensor([True, True, True, False, False, False, False, True])
    given = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0])
    weights = 1.0 - given.double()
    assert dict(detection(weights, wrong))["detection_auc"] > 0.7
    assert dict(detection(weights, wrong, given))["detection_auc"] == 0.5
    within = torch.tensor([0.0, 0.1, 0.2, 0.3, 5.0, 6.0, 7.0, 1.0])
    assert dict(detection(within, wrong, given))["detection_auc"] == 1.0
    only = dict(detection(within[:4], wrong[:4], given[:4]))
    assert only == dict(detection(within, wrong, torch.tensor([1, 1, 1, 1, 2, 3, 4, 5])))
    assert dict(detection(weights, torch.zeros(8, dtype=torch.bool), given)) == {}


@pytest.mark.parametrize("config", [REGRESSION, LABELS])
def test_rows_are_complete_finite_and_of_the_seed_alone(config):
    rows = list(registry.rows(config, 0, {}))
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert list(registry.rows(config, 0, {})) == rows
    assert torch.equal(torch.get_rng_state(), state), "the caller's random state was touched"
    assert list(registry.rows(config, 1, {})) != rows
    assert all(np.isfinite(row.value) for row in rows)
    cells = {(row.setting, row.level, row.method) for row in rows}
    settings, beside = (
        (config.noise, [WITH_HELD_OUT, HELD_OUT_ONLY, CLEAN_ONLY, "constant"])
        if config is REGRESSION
        else (config.flips, [WITH_HELD_OUT, HELD_OUT_ONLY, "equal_weighting-clean_labels"])
    )
    names = [*(method.name for method in config.methods), *beside]
    assert cells == {(setting, level, name) for setting in settings for level in config.levels for name in names}
    found = {(row.level, row.method) for row in rows if row.measure == "detection_auc"}
    assert found == {(level, "slgrad") for level in config.levels if level > 0}


def recipe(schedule, rate=1e-3):
    return Recipe(
        "test", 0, noisy_regression.REGRESSION_TASKS, lambda: noisy_regression._model(REGRESSION),
        lambda parameters: torch.optim.SGD(parameters, rate), schedule,
    )  # fmt: skip


def test_training_hands_each_method_what_it_needs():
    generator = torch.Generator().manual_seed(0)
    data = Samples(torch.randn(30, 20, generator=generator), {n: torch.randn(30, 1) for n in ("main", "other")})
    method = REGRESSION.build(MethodConfig(name="slgrad"))
    seen, sizes = [], []
    backward = method.backward
    method.backward = lambda step: (sizes.append(len(step.held_out[0])), backward(step))[1]
    recipe(Schedule(2, 8, 5)).train(method, data, data, seen.append)
    assert sizes == [5] * 8
    for epoch in (seen[:4], seen[4:]):
        assert sorted(torch.cat(epoch).tolist()) == list(range(30))


def test_methods_start_alike_and_see_the_same_batches():
    data = Samples(torch.randn(30, 20), {n: torch.randn(30, 1) for n in ("main", "other")})
    orders, models = [], []
    for name in ("equal_weighting", "slgrad", "random_weighting"):
        seen = []
        method = REGRESSION.build(MethodConfig(name=name))
        models.append(recipe(Schedule(1, 8, 5), rate=1e-12).train(method, data, data, seen.append))
        orders.append(torch.cat(seen))
    for order, model in zip(orders, models, strict=True):
        assert torch.equal(order, orders[0])
        for one, other in zip(model.parameters(), models[0].parameters(), strict=True):
            torch.testing.assert_close(one, other, atol=1e-8, rtol=0)


def test_svd_reweighting_sees_the_training_data_before_the_first_step():
    data = Samples(torch.eye(20)[:12], {"main": torch.ones(12, 1), "other": torch.zeros(12, 1)})
    method = REGRESSION.build(MethodConfig(name="svd_reweighting"))
    recipe(Schedule(1, 4, 4)).train(method, data, None)
    assert method.weights.tolist() == pytest.approx([2.0, 0.0])


def test_methods_are_named_with_what_is_switched_on():
    assert row_name(MethodConfig(name="slgrad")) == "slgrad"
    options = {"second_order": True, "inner_learning_rate": 0.1}
    config = MethodConfig(name="single_gradient_step", options=options)
    assert row_name(config) == "single_gradient_step-second_order"


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ([{"name": "slgard"}], "Unknown method 'slgard'; did you mean 'slgrad'"),
        ([{"name": "dwa"}, {"name": "dwa", "options": {"temperature": 1.0}}], "methods must differ by name"),
    ],
)
def test_methods_are_checked_before_anything_runs(methods, message):
    with pytest.raises(DGRError, match=message):
        parse(noisy_regression.NoisyRegression, REGRESSION.model_dump() | {"methods": methods}, "S1.yaml")


def test_a_study_without_held_out_data_refuses_methods_that_need_them():
    settings = {
        "kind": "noisy_task", "digits": {"train": 100, "test": 100}, "noisy_task": "odd", "levels": [0], "width": 4,
        "epochs": 1, "batch_size": 10, "learning_rate": 1e-3, "methods": [{"name": "auto_lambda"}],
    }  # fmt: skip
    with pytest.raises(DGRError, match="'auto_lambda' needs held-out batches, which this study does not have"):
        parse(NoisyTask, settings, "W3.yaml")
    assert parse(NoisyTask, settings | {"methods": [{"name": "svd_reweighting", "options": {"rank": 5}}]}, "W3.yaml")
