"""What is told of the time left, on steps whose times are known."""

import pytest

from dgr.plan.graph import Stage
from dgr.plan.suites import Suite
from dgr.terminal.committed_times import committed_seconds
from dgr.terminal.time_left import FEW_SECONDS, PRIOR, TimeLeft

KNOWN = {"train": {"a": 100.0, "b": 300.0}}


def waiting(width=1, known=KNOWN, **counts):
    return TimeLeft(counts, known, width, frozenset({"train", "probe"}), 0.0)


def test_before_anything_is_done_the_committed_times_count():
    assert waiting(train=2).seconds(0.0) == (400.0, True)
    assert waiting(width=2, train=2).seconds(0.0) == (200.0, True)
    assert waiting(train=2, table=3).seconds(0.0) == (400.0 + 3 * FEW_SECONDS, True)


def test_a_long_step_of_which_nothing_is_known_is_told_to_come_on_top():
    left = waiting(train=2, probe=1)
    assert left.seconds(0.0) == (400.0, False)
    left.begin(("probe", "a"), 0.0)
    assert left.end(("probe", "a"), 50.0) == 50.0
    assert left.seconds(50.0) == (pytest.approx(400.0), True)


def test_a_slower_machine_takes_longer_in_proportion():
    left = waiting(train=2)
    left.begin(("train", "a"), 0.0)
    left.end(("train", "a"), 200.0)  # twice the committed time
    pace = (PRIOR + 200.0) / (PRIOR + 100.0)
    assert left.seconds(200.0)[0] == pytest.approx(pace * 300.0)


def test_a_step_that_goes_on_counts_with_what_is_left_of_it_and_never_below_zero():
    left = waiting(train=1, known={"train": {"a": 100.0}})
    left.begin(("train", "a"), 0.0)
    assert left.seconds(40.0)[0] == pytest.approx(60.0)
    assert left.seconds(1000.0)[0] == 0.0


def test_steps_that_in_fact_run_one_by_one_are_not_divided_by_the_cores():
    left = waiting(width=4, known={"train": {str(n): 1000.0 for n in range(4)}}, train=4)
    assert left.seconds(0.0)[0] == pytest.approx(1000.0)
    left.begin(("train", "0"), 0.0)
    left.end(("train", "0"), 1000.0)
    at_a_time = (PRIOR * 4 + 1000.0) / (PRIOR + 1000.0)
    assert left.seconds(1000.0)[0] == pytest.approx(3000.0 / at_a_time)


def test_a_failed_step_takes_no_more_time():
    left = waiting(train=1)
    left.begin(("train", "a"), 0.0)
    left.drop(("train", "a"))
    assert left.seconds(10.0) == (0.0, True)


def stages(suite):
    train = {f"{suite}-a": {"seeds": [1, 2, 3]}, f"{suite}-new": {"seeds": [1]}}
    study = {f"{suite}-S1": {"name": "S1", "seeds": [0]}}
    return {name: Stage(name, None, {}, entries, {}) for name, entries in (("train", train), ("study", study))}


def test_committed_times_are_means_over_seeds_times_the_seeds_that_are_configured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/mini/origins").mkdir(parents=True)
    text = "key,seed,wall_seconds\nmini-a,8,10.0\nmini-a,9,20.0\n"
    (tmp_path / "results/mini/origins/runs.csv").write_text(text)
    (tmp_path / "results/mini/origins/S1.json").write_text('{"wall_seconds": 7.5}')
    found = committed_seconds(Suite("mini", "mini"), stages("mini"))
    assert found == {"train": {"mini-a": 45.0}, "study": {"mini-S1": 7.5}}
    look = committed_seconds(Suite("mini-seeds-0-1", "mini", (0, 1)), stages("mini-seeds-0-1"))
    assert look["train"] == {"mini-seeds-0-1-a": 45.0}


@pytest.mark.parametrize("text", ["key\nmini-a\n", "key,seed,wall_seconds\nmini-a,1,x\n", "\x00"])
def test_a_damaged_file_of_times_stops_no_run(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/mini/origins").mkdir(parents=True)
    (tmp_path / "results/mini/origins/runs.csv").write_text(text)
    (tmp_path / "results/mini/origins/S1.json").write_text("[")
    assert committed_seconds(Suite("mini", "mini"), stages("mini")) == {}
