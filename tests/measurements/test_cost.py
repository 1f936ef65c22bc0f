import itertools
import json
import runpy
import sys
import time
from functools import partial
from itertools import cycle

import numpy as np
import pytest
import torch
import yaml
from method_support import options_for

from dgr.config.runs import MethodConfig
from dgr.core.errors import DGRError
from dgr.core.paths import DATA, PLAN, output_path
from dgr.datasets.prepared import load
from dgr.measurements import cost
from dgr.measurements.configuration import CostConfig
from dgr.measurements.cost_case import Case
from dgr.measurements.timing import interleaved_seconds, peak_bytes
from dgr.methods.registry import METHODS

KEY = "mini-multimnist-conv"
CPU = torch.device("cpu")


def make_config(*methods):
    entry = yaml.safe_load(PLAN.read_text())["costs"][KEY]
    return CostConfig(
        **entry
        | {
            "methods": [
                MethodConfig(name=name, options=options_for(name, "left")) for name in methods or ("equal_weighting",)
            ]
        }
    )


def make_steppers(*methods):
    return cost.make_steppers(make_config(*methods), load("multimnist", DATA), CPU)


def test_every_method_is_measured_without_and_with_dgr(project):
    steppers = make_steppers(*METHODS)
    rows = cost.measured(steppers, 2, 1, CPU)
    found = [Case(row["method"], row["regularizer"], row["num_dummies"]) for row in rows]
    assert found == list(steppers)
    for method in METHODS:
        cases = {case[1:] for case in found if case.method == method}
        wanted = {("none", 0)} if method == "single_task" else {("none", 0), ("dgr", 1), ("dgr", 4)}
        if method == "equal_weighting":
            wanted |= {("norm", 0), ("authors", 1), ("authors", 4)}
        assert cases == wanted, method
    for row in rows:
        assert len(row["seconds"]) == 2
        assert min(row["seconds"]) > 0
        assert row["peak_memory_mb"] > 0


def test_what_is_timed_is_what_the_configuration_names(project):
    config = make_config().model_copy(update={"num_dummies": [2], "controls": []})
    steppers = cost.make_steppers(config, load("multimnist", DATA), CPU)
    assert list(steppers) == [Case("equal_weighting", *rest) for rest in (("none", 0), ("dgr", 2), ("authors", 2))]
    assert steppers["equal_weighting", "dgr", 2].parts.regularizer.num_dummies == 2
    for name, message in (("dgr", "'dgr' is none; leave it out"), ("dropout", "'dropout' is none"), ("nrom", "norm")):
        with pytest.raises(DGRError, match=message):
            cost.make_steppers(config.model_copy(update={"controls": [name]}), load("multimnist", DATA), CPU)


def test_works_of_a_group_follow_one_another_in_an_order_of_their_own_each_round():
    seen = []
    works = [partial(seen.append, name) for name in ("a1", "b1", "a2", "b2", "a3")]
    interleaved_seconds(works, 50, CPU, groups=["a", "b", "a", "b", "a"])
    rounds = [seen[start : start + 5] for start in range(0, 250, 5)]
    for turn in rounds:
        assert sorted(turn) == ["a1", "a2", "a3", "b1", "b2"]
        assert len(list(itertools.groupby(turn, key=lambda name: name[0]))) == 2
    assert len({tuple(turn) for turn in rounds}) > 10
    assert {turn[0][0] for turn in rounds} == {"a", "b"}


def test_the_stage_writes_its_record(project):
    cost.measure_costs(KEY, "cpu")
    record = json.loads(output_path("mini", "cost", f"{KEY}.json").read_text())
    assert record["key"] == KEY
    assert record["device"].startswith("cpu")
    assert record["threads"] == 1
    assert len(record["rows"]) == 6


def test_costs_need_plain_equal_weighting(project):
    with pytest.raises(DGRError, match="multiples of 'equal_weighting'; add it"):
        cost.measured(make_steppers("dwa"), 1, 1, CPU)


@pytest.mark.parametrize("number", [1, 4])
def test_the_released_procedure_gives_the_librarys_gradient(project, number):
    """Both are finite differences of the same dummies; float64, since the expansion cancels in float32."""
    steppers = make_steppers()
    released = steppers["equal_weighting", "authors", number]
    twin = make_steppers()["equal_weighting", "authors", number]
    inputs, targets = next(released.batches)
    library = cost.Stepper(**vars(twin))
    for stepper in (released, library):
        for module in stepper.parts.modules():
            module.double()
        stepper.parts.regularizer.epsilon = 1e-3
        stepper.parts.regularizer.strength = 100.0
        stepper.batches = cycle([(inputs.double(), targets)])
        stepper.parts.optimizer.step = lambda: None
        stepper()
    plain = [p.grad.clone() for p in library.parts.model.heads.parameters()]
    assert all(torch.allclose(p.grad, g) for p, g in zip(released.parts.model.heads.parameters(), plain, strict=True))
    shared = [stepper.parts.model.shared_parameters() for stepper in (released, library)]
    for one, other in zip(*shared, strict=True):
        assert torch.allclose(one.grad, other.grad, rtol=1e-5, atol=1e-8)
    assert not any(p.requires_grad for p in released.parts.regularizer.dummies.parameters())


def test_a_step_trains(project):
    for case, stepper in make_steppers().items():
        shared = stepper.parts.model.shared_parameters()
        before = [p.detach().clone() for p in shared]
        stepper()
        assert any((p != old).any() for p, old in zip(shared, before, strict=True)), case


def test_slower_work_takes_longer_and_sleeping_costs_nothing():
    def spin(seconds):
        start = time.process_time()
        while time.process_time() - start < seconds:
            pass

    works = [lambda: spin(0.004), lambda: spin(0.001), lambda: time.sleep(0.005)]
    seconds = np.median(interleaved_seconds(works, 5, CPU), axis=0)
    assert seconds[0] == pytest.approx(0.004, rel=0.5)
    assert seconds[0] > 2 * seconds[1] > 2 * seconds[2]


def test_peak_counts_what_is_alive_at_once():
    def work():
        first = torch.ones(1000, 1000)
        second = first + 1
        del first
        (second + 1).sum().item()

    assert peak_bytes(work, CPU) == pytest.approx(8_000_000, abs=1000)


def test_resting_memory_counts_weights_state_and_dummies(project):
    steppers = make_steppers()
    plain, dgr = (steppers["equal_weighting", *case] for case in (("none", 0), ("dgr", 4)))
    heads = 4 * sum(p.numel() for p in plain.parts.model.heads.parameters())
    assert dgr.resting_bytes() - plain.resting_bytes() == pytest.approx(4 * heads, abs=16)
    before = plain.resting_bytes()
    plain()
    weights = 4 * sum(p.numel() for p in plain.parts.model.parameters())
    assert plain.resting_bytes() - before == pytest.approx(2 * weights, abs=100), "Adam keeps two values a weight"


def test_the_benchmark_tells_by_its_status(project, request, monkeypatch, capsys):
    script = str(request.config.rootpath / "benchmarks" / "step_cost.py")
    for limit, status in (("1000", 0), ("0.1", 1)):
        monkeypatch.setattr(sys, "argv", [script, "--rounds", "2", "--limit", limit])
        with pytest.raises(SystemExit) as done:
            runpy.run_path(script, run_name="__main__")
        assert done.value.code == status
        assert "DGR as released, N = 4" in capsys.readouterr().out
