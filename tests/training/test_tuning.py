"""The stage that tunes: what it trains and records, and what runs make of it."""

import json
import statistics

import numpy as np
import pytest

from dgr.core.errors import DGRError
from dgr.core.files import read_json, write_json
from dgr.core.paths import PLAN, UNFINISHED, output_path, tuning_file
from dgr.training import stages
from dgr.training.run import Run
from dgr.training.tuning import tune

EW = "mini-multimnist-conv-equal_weighting-none"
DGR, MATCHED = (f"mini-multimnist-conv-equal_weighting-{name}" for name in ("dgr", "norm_matched"))


def record(key):
    return json.loads(tuning_file("mini", key).read_text())


@pytest.fixture
def jointly(project, edit_plan):
    """DGR with its learning rate tuned as well, and what matches it."""
    tuned = {"learning_rate": "tuned"}
    entry = json.loads(PLAN.read_text())["tuning"][DGR]["run"]
    edit_plan("tuning", DGR, run={"training": entry["training"] | tuned}, learning_rates=[1e-3, 2e-3], seeds=[100, 1])
    other = json.loads(PLAN.read_text())["matching"][MATCHED]["run"]
    edit_plan("matching", MATCHED, run={"training": other["training"] | tuned})
    for key in (DGR, MATCHED):
        edit_plan("tuned_runs", key, training=tuned)


def test_every_pair_is_recorded_with_every_seed_and_the_best_is_chosen(jointly):
    tune(DGR, "cpu")
    found = record(DGR)
    assert [(row["learning_rate"], row["strength"], row["seed"]) for row in found["rows"]] == [
        *((rate, strength, 100) for rate in (1e-3, 2e-3) for strength in (0.01, 1.0)),
        *((rate, strength, 1) for rate, strength in ranked_pairs(found)),
    ]
    assert (found["key"], found["rule"], "matched" in found) == (DGR, "best_mean_validation", False)

    def mean(pair, task):
        own = [row["val"][task]["accuracy"] for row in found["rows"] if pair_of(row) == pair]
        return statistics.fmean(own)

    first = pair_of(found["rows"][0])
    scores = {
        pair: statistics.fmean(100 * (mean(pair, task) / mean(first, task) - 1) for task in ("left", "right"))
        for pair in map(pair_of, found["rows"])
    }
    chosen = (found["chosen"]["learning_rate"], found["chosen"]["strength"])
    assert scores[chosen] == max(scores.values())
    assert not list(UNFINISHED.iterdir())


def pair_of(row):
    return row["learning_rate"], row["strength"]


def ranked_pairs(found):
    """Pairs as the first seed ranks them."""
    first = [row for row in found["rows"] if row["seed"] == 100]

    def score(row):
        return sum(row["val"][task]["accuracy"] / first[0]["val"][task]["accuracy"] for task in ("left", "right"))

    return [pair_of(row) for row in sorted(first, key=lambda row: -score(row))]


def test_a_run_is_trained_with_what_was_chosen(jointly):
    write_json(tuning_file("mini", DGR), {"chosen": {"learning_rate": 0.0125, "strength": 0.03}})
    stages.train(DGR, "cpu")
    folder = output_path("mini", "train", DGR) / "seed-0"
    metrics = read_json(folder / "metrics.json", "")
    assert (metrics["learning_rate"], metrics["strength"]) == (0.0125, 0.03)
    assert metrics["config"]["training"]["learning_rate"] == 0.0125
    assert metrics["config"]["regularizer"]["strength"] == 0.03
    assert float((folder / "history.csv").read_text().splitlines()[1].split(",")[1]) == pytest.approx(0.0125)


def test_a_norm_is_matched_at_the_learning_rate_of_what_it_matches(jointly):
    tune(DGR, "cpu")
    tune(MATCHED, "cpu")
    dgr, found = record(DGR), record(MATCHED)
    own = [row["mean_norm"] for row in dgr["rows"] if pair_of(row) == tuple(dgr["chosen"].values())]
    assert len(own) == 2
    assert found["matched"]["key"] == DGR
    assert found["matched"]["norm"] == pytest.approx(statistics.fmean(own))
    assert {row["learning_rate"] for row in found["rows"]} == {dgr["chosen"]["learning_rate"]}
    assert found["chosen"]["learning_rate"] == dgr["chosen"]["learning_rate"]
    # The expected ‖z‖ lies where the straight line through what was tried has it.
    tried = sorted((np.log(row["strength"]), np.log(row["mean_norm"])) for row in found["rows"])
    line = np.interp(np.log(found["chosen"]["strength"]), *zip(*tried, strict=True))
    assert np.log(found["matched"]["expected_norm"]) == pytest.approx(line, abs=1e-3)


def test_what_is_not_tuned_yet_is_named_with_its_command(jointly):
    for call, key in ((stages.train, DGR), (tune, MATCHED)):
        with pytest.raises(DGRError, match=rf"equal_weighting-dgr\.json is missing; run `python -m dgr tune {DGR}`\.$"):
            call(key, "cpu")


def test_a_representation_of_norm_zero_is_matched_by_nothing(jointly):
    chosen = {"learning_rate": 1e-3, "strength": 1.0}
    write_json(tuning_file("mini", DGR), {"chosen": chosen, "rows": [{**chosen, "seed": 100, "mean_norm": 0.0}]})
    with pytest.raises(DGRError, match=rf"^{DGR} chose a representation of norm 0, which nothing can be matched to"):
        tune(MATCHED, "cpu")


def test_a_killed_tuning_goes_on_where_it_was(jointly, monkeypatch):
    tune(DGR, "cpu")
    undisturbed = tuning_file("mini", DGR).read_bytes()
    tuning_file("mini", DGR).unlink()
    train, trained = Run.train, []

    def killed(run):
        trained.append((run.config.training.chosen_rate, run.config.strength, run.seed))
        if len(trained) == 4:
            raise KeyboardInterrupt
        train(run)

    monkeypatch.setattr(Run, "train", killed)
    with pytest.raises(KeyboardInterrupt):
        tune(DGR, "cpu")
    tune(DGR, "cpu")
    assert len(trained) == 9, "eight, and the one that was killed again"
    assert len(set(trained)) == 8
    assert tuning_file("mini", DGR).read_bytes() == undisturbed


def test_a_run_of_which_nothing_is_tuned_asks_for_no_outcome(project):
    stages.train(EW, "cpu")
    assert read_json(output_path("mini", "train", EW) / "seed-0/metrics.json", "")["learning_rate"] == 1e-3
