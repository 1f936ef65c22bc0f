"""The parts of a run: built by one function, from a configuration in which nothing is left to tuning."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.models.shared.wrappers import Normalized
from dgr.regularizers.registry import REGULARIZERS
from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm
from dgr.training.build import build_parts
from dgr.training.configuration import RunConfig

TASKS = (Task("left", "classification", 3), Task("right", "classification", 3))
IMAGES = (1, 8, 8)


def run(regularizer, method="equal_weighting", **training):
    return RunConfig(
        suite="toy",
        dataset="digits",
        architecture={"name": "conv", "channels": [2], "width": 4, "hidden": 3},
        method={"name": method},
        regularizer=regularizer,
        seeds=[0],
        training={"epochs": 1, "batch_size": 4, "learning_rate": 0.1, "weight_decay": 0.25} | training,
    )


def test_a_resolved_run_has_numbers_in_place_of_tuned_and_nothing_else_changes():
    tuned = run({"name": "dgr", "strength": "tuned", "num_dummies": 2}, learning_rate="tuned")
    assert tuned.is_tuned
    with pytest.raises(DGRError, match="strength of 'dgr' is not chosen yet"):
        _ = tuned.strength
    with pytest.raises(DGRError, match="learning rate is not chosen yet; give a number, or tune it first"):
        _ = tuned.training.chosen_rate
    resolved = tuned.resolved(0.25, 0.5)
    assert resolved == run({"name": "dgr", "strength": 0.5, "num_dummies": 2}, learning_rate=0.25)
    assert not resolved.is_tuned
    assert (resolved.training.chosen_rate, resolved.strength) == (0.25, 0.5)
    assert (resolved.key, resolved.experiment) == (tuned.key, tuned.experiment)


def test_a_run_without_a_strength_is_tuned_by_its_learning_rate_alone():
    tuned = run({"name": "none"}, learning_rate="tuned")
    assert tuned.is_tuned
    assert tuned.strength is None
    assert tuned.resolved(0.25, None) == run({"name": "none"}, learning_rate=0.25)
    assert tuned.with_any_setting().training.chosen_rate > 0
    assert not run({"name": "none"}).is_tuned


def test_a_setting_that_does_not_fit_is_refused():
    with pytest.raises(DGRError, match=r"toy-digits-conv-equal_weighting-dropout: .*probability below 1, but is 1.5"):
        run({"name": "dropout", "strength": "tuned"}).resolved(0.1, 1.5)
    with pytest.raises(DGRError, match=r"share between 0 and 1, but is 1\.5"):
        run({"name": "static_weights", "strength": "tuned"}).resolved(0.1, 1.5)
    with pytest.raises(DGRError, match="unknown key 'strength'"):
        run({"name": "none"}).resolved(0.1, 1.0)
    with pytest.raises(DGRError, match=r"training\.learning_rate.*greater than 0"):
        run({"name": "none"}).resolved(0.0, None)


def test_what_is_left_to_tuning_is_not_built():
    for left in (run({"name": "norm", "strength": "tuned"}), run({"name": "none"}, learning_rate="tuned")):
        with pytest.raises(DGRError, match="give a number, or tune it first"):
            build_parts(left, TASKS, IMAGES, seed=0)


@pytest.mark.parametrize("name", REGULARIZERS)
def test_each_regularizer_reaches_its_part(name):
    settings = {"name": name} | ({"strength": 0.125} if REGULARIZERS.declared(name, "SYMBOL") else {})
    parts = build_parts(run(settings, "uncertainty_weighting"), TASKS, IMAGES, seed=0)
    plain = build_parts(run({"name": "none"}, "uncertainty_weighting"), TASKS, IMAGES, seed=0)
    weights = zip(parts.model.parameters(), plain.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights), "the initialisation is the same for all"
    assert (parts.regularizer is not None) == REGULARIZERS.declared(name, "PENALTY")
    assert any(isinstance(module, nn.Dropout) for module in parts.model.modules()) == (name == "dropout")
    assert isinstance(parts.model.encoder, Normalized) == (name in ("normalized", "normalized_dgr"))
    assert parts.loss_weights == ([0.25, 1.75] if name == "static_weights" else None)
    decays = [group["weight_decay"] for group in parts.optimizer.param_groups]
    assert decays[0] == (0.125 if name == "weight_decay" else 0.25)
    assert set(decays[1:]) == {0.0}, "a method's own parameters are not shrunk"


def test_the_dummies_are_trained_by_nobody():
    parts = build_parts(run({"name": "dgr", "strength": 0.5}), TASKS, IMAGES, seed=0)
    assert isinstance(parts.regularizer, DummyGradientNorm)
    trained = {id(p) for group in parts.optimizer.param_groups for p in group["params"]}
    assert not trained & {id(p) for p in parts.regularizer.parameters()}
    assert trained == {id(p) for p in parts.model.parameters()}


def test_what_is_saved_is_all_that_there_is():
    parts = build_parts(run({"name": "none"}), TASKS, IMAGES, seed=0)
    assert set(parts.stateful()) == {"model", "method", "optimizer", "schedule"}
    assert len(parts.modules()) == 2
    with_penalty = replace(parts, regularizer=nn.Identity())
    assert set(with_penalty.stateful()) == {"model", "regularizer", "method", "optimizer", "schedule"}


def test_moved_parts_are_the_same_parts_on_the_device():
    parts = build_parts(run({"name": "dgr", "strength": 0.5}), TASKS, IMAGES, seed=0)
    before = [id(p) for p in parts.model.parameters()]
    assert parts.to(torch.device("cpu")) is parts
    assert [id(p) for p in parts.model.parameters()] == before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["dgr", "norm"])
def test_parts_train_on_a_gpu(name):
    device = torch.device("cuda")
    parts = build_parts(run({"name": name, "strength": 0.5}), TASKS, IMAGES, seed=0).to(device)
    trained = {id(p) for group in parts.optimizer.param_groups for p in group["params"]}
    assert trained == {id(p) for p in parts.model.parameters()}
    assert all(p.device.type == "cuda" for module in parts.modules() for p in module.parameters())
    weight = next(p for p in parts.model.parameters() if p.ndim == 4)
    before = weight.detach().clone()
    inputs, targets = torch.rand(4, *IMAGES, device=device), [torch.zeros(4, dtype=torch.long, device=device)] * 2
    z = parts.model.encoder(inputs)
    loss = sum(task.loss(parts.model.heads[task.name](z), target) for task, target in zip(TASKS, targets, strict=True))
    (loss + parts.regularizer(z, targets)).backward()
    parts.optimizer.step()
    assert not torch.equal(weight, before)
