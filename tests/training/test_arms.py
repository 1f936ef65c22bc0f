"""Every method trains with every regularizer, and what each does to a run is seen in its first step."""

import pytest
import torch
from method_support import options_for

from dgr.core.task import Task
from dgr.datasets.prepared import PreparedData, Split
from dgr.methods.registry import METHODS
from dgr.regularizers.registry import REGULARIZERS
from dgr.training.build import build_parts
from dgr.training.configuration import RunConfig
from dgr.training.epoch import Epoch
from dgr.training.run import Run

IMAGES = (1, 8, 8)


def tasks(number=2):
    return tuple(Task(f"task{index}", "classification", 3) for index in range(number))


def split(samples=8, number=2):
    torch.manual_seed(0)
    return Split(torch.rand(samples, *IMAGES), {task.name: torch.randint(3, (samples,)) for task in tasks(number)})


def configured(method="equal_weighting", regularizer="none", strength=0.25, **architecture):
    has_strength = REGULARIZERS.declared(regularizer, "SYMBOL") is not None
    return RunConfig(
        suite="toy",
        dataset="digits",
        architecture={"name": "conv", "channels": [2], "width": 6, "hidden": 3} | architecture,
        method={"name": method, "options": options_for(method, "task0")},
        regularizer={"name": regularizer} | ({"strength": strength} if has_strength else {}),
        seeds=[0],
        training={"epochs": 1, "batch_size": 8, "learning_rate": 0.01},
    )


def step(config, number=2):
    """What trains, after one step, and the row of the history."""
    parts = build_parts(config, tasks(number), IMAGES, seed=0)
    return parts, Epoch(config, 0, parts, tasks(number), split(number=number), 0).train()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_every_method_trains_a_step_with_every_regularizer(method, regularizer):
    config = configured(method, regularizer)
    before = build_parts(config, tasks(), IMAGES, seed=0)
    parts, row = step(config)
    for (name, old), new in zip(before.model.named_parameters(), parts.model.parameters(), strict=True):
        assert new.isfinite().all(), name
        assert not torch.equal(old, new), f"{name} did not move"
    if parts.regularizer is not None:
        pairs = zip(before.regularizer.parameters(), parts.regularizer.parameters(), strict=True)
        assert all(torch.equal(old, new) for old, new in pairs), "a dummy moved"
        assert row["penalty"] > 0
        assert row["gradient_ratio"] > 0
    assert (row["penalty"] is not None) == REGULARIZERS.declared(regularizer, "PENALTY")


@pytest.mark.parametrize(("number", "weights"), [(2, [0.5, 1.5]), (3, [0.75, 1.125, 1.125])])
def test_static_weights_multiply_the_losses_that_are_balanced(number, weights):
    plain, weighted = (step(configured(regularizer=name), number) for name in ("none", "static_weights"))
    for task, weight in zip(tasks(number), weights, strict=True):
        column = f"train_loss/{task.name}"
        assert weighted[1][column] == pytest.approx(weight * plain[1][column], rel=1e-6)
    # Equal weighting sums them, so that the gradient of a head is as many times as large.
    for task, weight in zip(tasks(number), weights, strict=True):
        pairs = zip(*(parts.model.heads[task.name].parameters() for parts, _ in (plain, weighted)), strict=True)
        for one, other in pairs:
            torch.testing.assert_close(other.grad, weight * one.grad)


def test_equal_shares_change_nothing():
    (plain, _), (weighted, _) = step(configured()), step(configured(regularizer="static_weights", strength=0.5))
    pairs = zip(plain.model.parameters(), weighted.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_positive_control_sees_the_first_half_of_the_training_data_and_all_of_the_rest(tmp_path):
    data = PreparedData(tasks(), dict.fromkeys(("train", "val", "test"), split(samples=9)))
    run = Run(configured(regularizer="half_data"), 0, data, torch.device("cpu"), tmp_path / "resume.pt")
    assert len(run.trained_on) in (4, 5)
    assert torch.equal(run.trained_on.images, data.splits["train"].images[: len(run.trained_on)])
    assert all(len(run.trained_on.targets[task.name]) == len(run.trained_on) for task in tasks())
    assert len(run.splits["train"]) == len(run.splits["val"]) == 9


def test_a_normalised_representation_reaches_heads_and_penalty():
    parts, _ = step(configured(regularizer="normalized_dgr"))
    with torch.no_grad():
        z = parts.model.encoder(split().images)
    assert z.norm(dim=1).tolist() == pytest.approx([6**0.5] * 8, rel=1e-5)
