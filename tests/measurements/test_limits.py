"""What a training asks a cluster for follows from the estimate."""

import json
from pathlib import Path

import pytest

from dgr.config.plan_file import read_plan, tunings
from dgr.core.paths import RESULTS
from dgr.measurements import limits
from dgr.measurements.estimate import STEP_TIMES, work_of
from dgr.measurements.limits import PROGRAM, SPLIT_TIMES, UNKNOWN_MEGABYTES, UNKNOWN_MINUTES, megabytes, minutes

KEY = "mini-multimnist-conv-single_task-none"


@pytest.fixture(autouse=True)
def fresh_plan() -> None:
    limits._plan.cache_clear()


def test_without_times_of_steps_a_job_gets_two_days(project: Path) -> None:
    assert minutes("mini", "train", KEY, read_plan()["runs"][KEY]) == UNKNOWN_MINUTES == 2 * 24 * 60


def test_minutes_are_those_of_all_steps_with_room(project: Path) -> None:
    plan = read_plan()
    entry = plan["runs"][KEY]
    (item,) = work_of("train", KEY, entry, plan)
    path = RESULTS / "mini" / STEP_TIMES
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"seconds_per_step": {item.kind: 600.0}}))
    # Thirty minutes, and twice ten minutes a step.
    assert minutes("mini", "train", KEY, entry) == 30 + 20 * item.steps
    key, tuning = next(iter(tunings(plan).items()))
    assert minutes("mini", "tune", key, tuning) == UNKNOWN_MINUTES  # of another kind, which was not timed
    path.write_text(json.dumps({"seconds_per_step": {item.kind: 0.001}}))
    assert minutes("mini", "train", KEY, entry) == 40


def test_memory_grows_with_the_data_and_with_each_attempt(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = read_plan()["runs"][KEY]
    one = megabytes("train", KEY, entry)
    assert PROGRAM < one < PROGRAM + 100  # 64 small pictures
    assert megabytes("train", KEY, entry, attempt=3) == 3 * one
    monkeypatch.setattr(limits, "_size", lambda _: 10**9)
    assert megabytes("train", KEY, entry) == PROGRAM + 1000 * SPLIT_TIMES
    monkeypatch.setattr(limits, "_size", lambda _: None)
    assert megabytes("train", KEY, entry) == UNKNOWN_MEGABYTES
