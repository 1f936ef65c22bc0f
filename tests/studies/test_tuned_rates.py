"""Learning rates that a study chooses for itself: the rule, its edges, and how the stage keeps what it tried."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from dgr.config.parsing import parse
from dgr.core.errors import DGRError
from dgr.studies import flipped_labels, registry, stage
from dgr.studies.schema import StudyEntry
from dgr.studies.tuned_rates import RateGrid, Trial, chosen_rates, rate_of, tuning_trials

GRID = RateGrid(grid=[0.01, 0.1, 1.0], seeds=[1000, 1001])
STUDY = {
    "kind": "flipped_labels",
    "digits": {"train": 50, "val": 10, "test": 40},
    "flips": ["uniform"],
    "levels": [0.6],
    "epochs": 1,
    "batch_size": 25,
    "held_out_size": 10,
    "learning_rate": {"grid": [0.001, 0.01], "seeds": [1000]},
    "momentum": 0.0,
    "methods": [{"name": "cosine_similarity"}],
}
ENTRY = {"suite": "studies", "name": "S9", "seeds": [0], "study": STUDY}


def peak_at(best):
    return lambda method, rate, seed: 1 / (1 + abs(math.log(rate / best))) + 0.001 * (seed - 1000)


def test_the_best_mean_over_seeds_is_chosen_for_each_method():
    values = {("a", 0.1): (0.2, 0.9), ("a", 1.0): (0.5, 0.5), ("b", 0.1): (0.1, 0.1), ("b", 1.0): (0.3, 0.0)}
    trials = [Trial(*cell, seed, value) for cell, own in values.items() for seed, value in enumerate(own)]
    assert chosen_rates(trials) == {"a": 0.1, "b": 1.0}


def test_equals_are_settled_by_the_lower_rate():
    trials = [Trial("a", rate, 0, 0.7) for rate in (1.0, 0.1)]
    assert chosen_rates(trials) == {"a": 0.1}


@pytest.mark.parametrize(
    ("best", "tried", "chosen"),
    [
        (0.1, [0.01, 0.1, 1.0], 0.1),
        (10.0, [0.01, 0.1, 1.0, 10.0, 100.0], 10.0),
        (0.0001, [0.0001, 0.001, 0.01, 0.1, 1.0], 0.0001),
    ],
)
def test_an_edge_that_is_best_is_extended_twice_at_most(best, tried, chosen):
    trials = list(tuning_trials(GRID, ["a"], peak_at(best)))
    assert sorted({trial.rate for trial in trials}) == pytest.approx(tried)
    assert len(trials) == 2 * len(tried)
    assert chosen_rates(trials)["a"] == pytest.approx(chosen)


def test_a_rate_that_diverges_is_never_chosen():
    trials = list(tuning_trials(GRID, ["a"], lambda method, rate, seed: math.nan if rate >= 0.1 else 0.4))
    assert chosen_rates(trials)["a"] <= 0.01
    assert {trial.value for trial in trials if trial.rate >= 0.1} == {-1.0}
    with pytest.raises(DGRError, match="Method 'a' diverges with every learning rate of its grid; add lower ones"):
        chosen_rates([Trial("a", 0.1, 0, -1.0)])


def test_a_rate_is_the_settings_or_the_chosen_one():
    assert rate_of(0.3, {}, "a") == 0.3
    assert rate_of(GRID, {"a": 0.1}, "a") == 0.1
    with pytest.raises(DGRError, match="No learning rate was chosen for 'b'; run the study's stage, which tunes first"):
        rate_of(GRID, {"a": 0.1}, "b")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": [0.1, 0.01], "seeds": [1000]}, "the learning rates must rise, but are 0.1, 0.01"),
        ({"grid": [0.01, 0.1], "seeds": [7, 0]}, "seeds 0 are reported and must not choose learning rates too"),
    ],
)
def test_a_grid_is_checked_before_anything_runs(changes, message):
    with pytest.raises(DGRError, match=message):
        parse(StudyEntry, ENTRY | {"study": STUDY | {"learning_rate": changes}}, "S9.yaml")


def test_the_stage_trains_with_what_it_chose_and_records_every_trial(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stage, "plan_entry", lambda key, sections: ENTRY)
    entry = parse(StudyEntry, ENTRY, "S9.yaml")
    stage.run_study("studies-S9")
    record = json.loads(Path("results/studies/records/S9.json").read_text())
    trials = [Trial(*row) for row in record["tuning"]["trials"]]
    names = ["cosine_similarity", *flipped_labels.BESIDE]
    assert list(record["tuning"]["rates"]) == names
    assert record["tuning"]["rates"] == chosen_rates(trials)
    assert trials == registry.tuning(entry.study)
    assert {trial.seed for trial in trials} == {1000}
    wanted = list(registry.rows(entry.study, 0, record["tuning"]["rates"]))
    lines = Path("results/studies/records/S9.csv").read_text().splitlines()
    assert len(lines) == 1 + len(wanted)
    other = dict.fromkeys(names, 0.5)
    assert list(registry.rows(entry.study, 0, other)) != wanted
