"""Mistakes of the user are one sentence that names the thing and the way out."""

from __future__ import annotations

import pytest
from toy_problem import make_toy

from dgr.core.errors import DGRError
from dgr.methods import METHODS, build_method


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pcgard", "did you mean 'pcgrad'"),
        ("NashMTL", "did you mean 'nash_mtl'"),
        ("equal", "known: .*equal_weighting"),
    ],
)
def test_unknown_method_names_the_nearest(name, hint):
    with pytest.raises(DGRError, match=f"Unknown method '{name}'; {hint}"):
        build_method(name, 2)


def test_unknown_option_names_the_nearest():
    with pytest.raises(DGRError, match="'dwa' has no option 'temprature'; did you mean 'temperature'"):
        build_method("dwa", 2, temprature=1.0)
    with pytest.raises(DGRError, match="'pcgrad' has no option 'c'; known: none"):
        build_method("pcgrad", 2, c=1.0)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("dwa", "temperature", 0),
        ("dwa", "temperature", "2"),
        ("dwa", "temperature", True),
        ("uncertainty_weighting", "initial_log_variance", float("nan")),
        ("auto_lambda", "initial_weight", -0.1),
        ("auto_lambda", "weight_learning_rate", 0.0),
        ("cagrad", "c", -0.4),
        ("cagrad", "c", float("inf")),
        ("nash_mtl", "max_norm", -1),
        ("nash_mtl", "update_weights_every", 0),
        ("nash_mtl", "update_weights_every", 1.5),
    ],
)
def test_values_out_of_range(name, option, value):
    with pytest.raises(DGRError, match=f"Option '{option}' of method '{name}' must be"):
        build_method(name, 2, **{option: value})


@pytest.mark.parametrize("name", METHODS)
def test_number_of_tasks(name):
    with pytest.raises(DGRError, match=f"Option 'num_tasks' of method '{name}'"):
        build_method(name, 0)


def test_auto_lambda_without_held_out_batch():
    toy = make_toy(2)
    toy.held_out = None
    with pytest.raises(DGRError, match="held-out batch"):
        toy.backward(build_method("auto_lambda", 2).double())
