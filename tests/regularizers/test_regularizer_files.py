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

HEADS = [nn.Linear(4, 3), nn.Linear(4, 3)]


class Block(Strict):
    use: AnyRegularizer


def regularizer(name, strength=0.25):
    settings = {} if name == "none" else {"strength": strength}
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


def test_each_control_reaches_one_part_of_a_run():
    encoder = nn.Linear(2, 2)
    changed = {
        name: (config.encoder(encoder) is not encoder, config.weight_decay(0.5) != 0.5)
        for name, config in ((name, regularizer(name)) for name in REGULARIZERS)
    }
    assert changed == {
        "none": (False, False), "dgr": (False, False), "norm": (False, False),
        "dropout": (True, False), "weight_decay": (False, True),
    }  # fmt: skip
    assert regularizer("dropout").encoder(encoder)[1].p == 0.25
    assert regularizer("weight_decay").weight_decay(0.5) == 0.25


def test_reports_read_what_they_show_of_each_in_the_order_of_the_files():
    assert REGULARIZERS.in_order() == ["none", "dgr", "norm", "dropout", "weight_decay"]
    looks = {tuple(REGULARIZERS.declared(name, c) for c in ("COLOUR", "DASH")) for name in REGULARIZERS}
    assert len(looks) == len(REGULARIZERS), "told apart with and without colour"
    controls = [name for name in REGULARIZERS.in_order() if REGULARIZERS.declared(name, "CONTROL")]
    assert controls == ["norm", "dropout", "weight_decay"]


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
        ({"name": "dropout", "strength": 1}, "the strength of dropout is a probability below 1, but is 1.0"),
    ],
)
def test_mistakes_are_named(block, message):
    with pytest.raises(DGRError) as caught:
        parse(Block, {"use": block}, "here")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
