"""Every file of ``regularizers``: what it does to a run, and what reports read of it."""

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from torch.nn.functional import cross_entropy

from dgr.config.parsing import Strict, parse
from dgr.config.regularizers import StrengthRegularizer
from dgr.core.errors import DGRError
from dgr.regularizers.registry import REGULARIZERS, AnyRegularizer
from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm

HEADS = [nn.Linear(4, 3), nn.Linear(4, 3)]


class Block(Strict):
    use: AnyRegularizer


def regularizer(name, strength=0.25):
    settings = {"strength": strength} if REGULARIZERS.declared(name, "SYMBOL") else {}
    return TypeAdapter(AnyRegularizer).validate_python({"name": name, **settings})


@pytest.mark.parametrize("name", REGULARIZERS)
def test_it_does_what_its_file_says(name):
    config = regularizer(name)
    assert config.name == name
    assert isinstance(config, StrengthRegularizer) == (REGULARIZERS.declared(name, "SYMBOL") is not None)
    penalty = config.penalty(HEADS, [cross_entropy] * 2, seed=0)
    assert (penalty is not None) == REGULARIZERS.declared(name, "PENALTY")
    if penalty is not None:
        z = torch.randn(8, 4, requires_grad=True)
        value = penalty(z, [torch.randint(3, (8,))] * 2)
        value.backward()
        assert value.shape == ()
        assert value > 0
        assert z.grad.abs().max() > 0


def test_each_arm_without_a_penalty_reaches_one_part_of_a_run():
    encoder = nn.Linear(2, 2)

    def reached(config):
        found = {
            "encoder": config.encoder(encoder) is not encoder,
            "weight decay": config.weight_decay(0.5) != 0.5,
            "loss weights": config.loss_weights(2) is not None,
            "data": config.training_share != 1,
        }
        return {part for part, changed in found.items() if changed}

    changed = {name: reached(regularizer(name)) for name in REGULARIZERS}
    assert {name: parts for name, parts in changed.items() if parts} == {
        "normalized": {"encoder"}, "normalized_dgr": {"encoder"}, "dropout": {"encoder"},
        "weight_decay": {"weight decay"}, "static_weights": {"loss weights"}, "half_data": {"data"},
    }  # fmt: skip
    assert regularizer("dropout").encoder(encoder)[1].p == 0.25
    assert regularizer("weight_decay").weight_decay(0.5) == 0.25


@pytest.mark.parametrize("name", ["normalized", "normalized_dgr"])
def test_a_normalised_representation_has_the_norm_of_its_width(name):
    torch.manual_seed(0)
    encoder, x = nn.Linear(3, 7).double(), torch.randn(5, 3, dtype=torch.float64)
    z = regularizer(name).encoder(encoder)(x)
    expected = encoder(x) * (7**0.5 / encoder(x).norm(dim=1, keepdim=True))
    torch.testing.assert_close(z, expected)
    torch.testing.assert_close(z.norm(dim=1), torch.full((5,), 7**0.5, dtype=torch.float64))


@pytest.mark.parametrize(("tasks", "weights"), [(2, [0.5, 1.5]), (3, [0.75, 1.125, 1.125])])
def test_static_weights_add_up_to_the_number_of_tasks(tasks, weights):
    found = regularizer("static_weights", 0.25).loss_weights(tasks)
    assert found == pytest.approx(weights)
    assert sum(found) == pytest.approx(tasks)
    assert found[0] / sum(found) == pytest.approx(0.25)
    assert regularizer("static_weights", 1 / tasks).loss_weights(tasks) == pytest.approx([1.0] * tasks)


def test_a_single_task_has_nothing_to_weigh():
    assert regularizer("static_weights").loss_weights(1) is None


def test_the_released_arm_is_the_finite_difference_of_the_authors_code():
    torch.manual_seed(0)
    heads = [nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)) for _ in range(2)]
    data = torch.randn(8, 4), [torch.randint(3, (8,)) for _ in range(2)]

    def gradient(penalty):
        z = data[0].clone().requires_grad_()
        penalty(z, data[1]).backward()
        return z.grad

    released = gradient(regularizer("dgr_released").penalty(heads, [cross_entropy] * 2, seed=3))
    options = {"strength": 0.25, "seed": 3, "estimator": "finite_difference"}
    for epsilon, same in ((1e-4, True), (1e-2, False)):
        other = gradient(DummyGradientNorm(heads, [cross_entropy] * 2, epsilon=epsilon, **options))
        assert torch.equal(released, other) == same


def test_the_matched_norm_is_the_plain_penalty():
    z, targets = torch.randn(8, 4), [torch.randint(3, (8,))] * 2
    values = [
        regularizer(name).penalty(HEADS, [cross_entropy] * 2, seed=0)(z, targets) for name in ("norm", "norm_matched")
    ]
    assert values[0] == values[1]


def test_reports_read_what_they_show_of_each_in_the_order_of_the_files():
    assert REGULARIZERS.in_order() == [
        "none", "dgr", "dgr_released", "norm", "norm_matched", "normalized", "normalized_dgr", "dropout",
        "weight_decay", "static_weights", "half_data",
    ]  # fmt: skip
    looks = {tuple(REGULARIZERS.declared(name, c) for c in ("COLOUR", "DASH")) for name in REGULARIZERS}
    assert len(looks) == len(REGULARIZERS), "told apart with and without colour"
    controls = {name for name in REGULARIZERS.in_order() if REGULARIZERS.declared(name, "CONTROL")}
    assert set(REGULARIZERS) - controls == {"none", "dgr", "dgr_released", "normalized_dgr"}


def test_a_strength_that_is_left_to_tuning_builds_nothing():
    config = regularizer("dgr", "tuned")
    with pytest.raises(DGRError, match="strength of 'dgr' is not chosen yet; give a number, or tune it first"):
        config.penalty(HEADS, [cross_entropy] * 2, seed=0)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"name": "drg"}, "here: use: Unknown regularizer 'drg'; did you mean 'dgr'?"),
        ({}, "here: use: the regularizer has no name; known: "),
        ({"name": "dgr", "strength": -1}, "here: use.strength"),
        ({"name": "norm", "strength": 1, "epsilon": 1}, "here: use: unknown key 'epsilon'"),
        ({"name": "none", "strength": 1}, "here: use: unknown key 'strength'"),
        ({"name": "half_data", "strength": 1}, "here: use: unknown key 'strength'"),
        ({"name": "dgr_released", "strength": 1, "epsilon": 0}, "here: use.epsilon: Input should be greater than 0"),
        *(
            (
                {"name": "static_weights", "strength": share},
                f"static_weights is a share between 0 and 1, but is {share}",
            )
            for share in (0.0, 1.0, 1.5)
        ),
        ({"name": "dropout", "strength": 1}, "the strength of dropout is a probability below 1, but is 1.0"),
    ],
)
def test_mistakes_are_named(block, message):
    with pytest.raises(DGRError) as caught:
        parse(Block, {"use": block}, "here")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
