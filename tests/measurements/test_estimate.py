"""What a suite will cost: in GPU hours where times were measured on a GPU, and how many trainings fit on it."""

import json
import types

import pytest
import torch

from dgr.config.plan_file import read_plan
from dgr.core.errors import DGRError
from dgr.core.paths import PLAN, RESULTS
from dgr.measurements import step_times
from dgr.measurements.estimate import STEP_TIMES, describe, work
from dgr.measurements.step_times import time_suite


def record(**changes):
    kinds = {item.kind for item in work("mini", read_plan())}
    told = {"device": "a GPU", "note": "", "seconds_per_step": dict.fromkeys(kinds, 3600.0)} | changes
    path = RESULTS / "mini" / STEP_TIMES
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))
    return sorted(kinds)


def last_line(text):
    return next(line for line in text.splitlines() if line.startswith("suite 'mini' in all"))


def test_hours_of_a_gpu_are_called_so(project):
    steps = sum(item.steps for item in work("mini", read_plan()))
    record()
    assert f"about {steps:,} hours of steps" in last_line(describe("mini"))
    assert "fit" not in describe("mini")
    record(gpu_memory_bytes=80 * 10**9)
    assert f"about {steps:,} GPU hours of steps" in last_line(describe("mini"))
    assert "beside each other is not known; --measure on a GPU says it" in describe("mini")


def test_slots_follow_from_the_largest_training(project):
    kinds = record()
    peaks = dict.fromkeys(kinds, 10**9) | {kinds[0]: 10 * 10**9}
    record(gpu_memory_bytes=80 * 10**9, peak_bytes=peaks)
    assert f"holds 6 trainings of the largest kind, {kinds[0]} (10.0 GB of tensors)" in describe("mini")
    record(gpu_memory_bytes=8 * 10**9, peak_bytes=peaks)
    assert "holds 1 trainings" in describe("mini"), "one is tried in any case"


def test_kinds_without_a_time_are_counted_and_not_guessed(project):
    kinds = record()
    known = [item for item in work("mini", read_plan()) if item.kind == kinds[0]]
    steps = sum(item.steps for item in work("mini", read_plan()))
    record(seconds_per_step={kinds[0]: 3600.0})
    hours = sum(item.steps for item in known)
    text = last_line(describe("mini"))
    assert f"about {hours:,}" in text
    assert f" hours of steps; how long {steps - hours:,} of them take is not known" in text


def test_memory_is_measured_on_a_gpu_alone(project, monkeypatch):
    time_suite("mini", "cpu", 1, 1)
    assert set(json.loads((RESULTS / "mini" / STEP_TIMES).read_text())) == {"device", "note", "seconds_per_step"}
    gpu = types.SimpleNamespace(total_memory=80 * 10**9)
    monkeypatch.setattr(step_times, "choose_device", lambda device: torch.device("cuda"))
    monkeypatch.setattr(step_times, "device_name", lambda device: "a GPU")
    monkeypatch.setattr(step_times, "_measured", lambda run, plan, device, steps, shrink: (0.25, 10**9))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: gpu)
    time_suite("mini", "cuda", 1, 1)
    text = describe("mini")
    assert "GPU hours" in text
    assert "a GPU" in text
    assert "(80 GB) holds 40 trainings" in text


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_real_gpu_says_its_memory(project):
    time_suite("mini", "cuda", 1, 1)
    assert "GPU hours" in describe("mini")


def test_a_suite_without_trainings_is_told_from_one_that_is_not_there(project):
    PLAN.write_text(json.dumps(read_plan() | {"suites": {"mini": {}, "studies": {}}}))
    for ask in (describe, lambda suite: time_suite(suite, "cpu", 1, 1)):
        with pytest.raises(DGRError, match="Suite 'studies' trains no runs"):
            ask("studies")
        with pytest.raises(DGRError, match="Suite 'stduies' has no plan; did you mean 'studies'"):
            ask("stduies")
