import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import GRID, RATE, RATES, SUITE, TASKS, write_plan

from dgr.core.errors import DGRError
from dgr.core.files import write_manifest
from dgr.core.paths import records_folder, tuning_file
from dgr.records.collecting import collect_records, collect_suite
from dgr.records.origins import ORIGIN_COLUMNS
from dgr.records.records import load_records

AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org")
EW, TUNED = "toy-digits-conv-equal_weighting-none", "toy-digits-conv-equal_weighting-dgr"
NORM = "toy-digits-conv-equal_weighting-norm"
OUTCOMES = tuning_file(SUITE, TUNED)


def edit(path: Path, change: Callable[[Any], object], manifest: bool = True) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))
    if manifest:
        write_manifest(path.parent, trained={})
        write_manifest(path.parent.parent)


def refused(plan: dict[str, Any], *parts: str) -> None:
    with pytest.raises(DGRError) as caught:
        collect_records(SUITE, plan, Path())
    for part in parts:
        assert part in str(caught.value)
    assert not records_folder(SUITE).exists()


def test_every_value_is_recorded_once_and_unchanged(results: Path) -> None:
    runs = load_records(results / "records").runs
    assert ",".join(runs) == "suite,dataset,architecture,method,regularizer,seed,task,split,metric,primary,moment,value"
    assert len(runs) == 6 * 3 * (len(TASKS) * 3 * 3 + 3)
    assert not runs.drop(columns="value").duplicated().any()
    metrics = json.loads(Path(f"runs/toy/train/{TUNED}/seed-1/metrics.json").read_text())
    row = runs.query("method == 'equal_weighting' and regularizer == 'dgr' and seed == 1 and split == 'test'")
    values = row.set_index(["task", "metric", "moment"])["value"]
    assert values["left", "accuracy", "final"] == metrics["final"]["test"]["left"]["accuracy"]
    assert values["right", "accuracy", "best_validation"] == metrics["best_validation"]["test"]["right"]["accuracy"]
    assert values["representation", "mean_norm", "final"] == metrics["representation_norm"]["test"]
    assert set(row.loc[row["primary"], "metric"]) == {"accuracy"}
    assert set(row.loc[~row["primary"], "metric"]) == {"loss", "mean_norm"}


def test_order_is_that_of_the_configuration(results: Path, plan: dict[str, Any]) -> None:
    keys = load_records(results / "records").provenance["key"].drop_duplicates()
    assert list(keys) == [*plan["runs"], *plan["tuned_runs"]]


def test_times_and_machines_stand_apart_from_records(results: Path) -> None:
    records = load_records(results / "records")
    assert len(records.histories) == 6 * 3 * 3
    assert records.provenance["strength"].isna().sum() == 3 * 3
    machine = {"seconds", "wall_seconds", "median_epoch_seconds", "device", "commit", "peak_memory_mb", "threads"}
    for frame in vars(records).values():
        assert not machine & set(frame) or frame is records.costs
    origins = pd.read_csv(results / "origins/runs.csv")
    assert list(origins) == ORIGIN_COLUMNS
    assert origins["median_epoch_seconds"].eq(1.5).all()
    assert list(origins["result"]) == list(records.provenance["result"])


def test_a_result_made_again_keeps_who_made_it_first(plan: dict[str, Any]) -> None:
    collect_records(SUITE, plan, Path())
    path = Path("results/toy/origins/runs.csv")
    first = path.read_text()
    for command in (("init", "--quiet"), ("add", "results"), (*AUTHOR, "commit", "--quiet", "-m", "results")):
        subprocess.run(("git", *command), check=True)
    for made in Path("runs/shared/origins").rglob("*.json"):
        made.write_text(made.read_text().replace("4.5", "9.5").replace("made up", "another one"))
    collect_records(SUITE, plan, Path())
    assert path.read_text() == first
    # Another result has another origin, and of its seed alone.
    norms = {"train": 1.0, "val": 1.0, "test": 1.0}
    edit(Path(f"runs/toy/train/{EW}/seed-1/metrics.json"), lambda m: m.update(representation_norm=norms))
    collect_records(SUITE, plan, Path())
    (changed,) = (line for line in path.read_text().splitlines() if line not in first.splitlines())
    assert changed.startswith(f"{EW},1,")
    assert "another one" not in changed, "what was written down here is about the earlier result"


def test_tuning_holds_the_whole_grid(results: Path) -> None:
    tuning = load_records(results / "records").tuning
    metrics = len(TASKS) * 2 + 1  # loss and accuracy of each task, and the norm of the representation
    assert len(tuning) == 3 * len(RATES) * len(GRID) * 2 * metrics
    chosen = tuning.query("chosen and regularizer == 'dgr'")
    assert set(chosen["strength"]) == {1.0}
    assert set(chosen["learning_rate"]) == {RATE}
    assert set(chosen["seed"]) == {100, 101}
    assert set(tuning.query("metric == 'mean_norm'")["value"]) == {2.5}


def test_a_setting_that_diverged_has_no_numbers(plan: dict[str, Any]) -> None:
    def diverge(tuning: Any) -> None:
        tuning["rows"][0] |= {"val": None, "mean_norm": None}

    edit(OUTCOMES, diverge, manifest=False)
    collect_records(SUITE, plan, Path())
    tuning = load_records(records_folder(SUITE)).tuning.query("regularizer == 'dgr' and method == 'equal_weighting'")
    assert set(tuning.query("strength == 0.01 and learning_rate == 0.001")["seed"]) == {101}


def test_what_is_matched_may_choose_between_the_strengths_that_were_tried(plan: dict[str, Any]) -> None:
    """A matched strength is interpolated, and trained for the first time by the run itself."""
    entry = plan["tuning"].pop(TUNED)
    entry |= {"rule": "matched_norm", "matches": "norm", "matched": NORM, "learning_rates": None}
    plan["matching"][TUNED] = entry

    def match(tuning: Any) -> None:
        tuning["rule"] = "matched_norm"
        tuning["rows"] = [
            row | {"strength": row["strength"] * 2} for row in tuning["rows"] if row["learning_rate"] == RATE
        ]
        tuning["matched"] = {"key": NORM, "norm": 3.0, "expected_norm": 3.0}

    entry["strengths"] = [2 * strength for strength in GRID]
    edit(OUTCOMES, match, manifest=False)
    collect_records(SUITE, plan, Path())
    own = load_records(records_folder(SUITE)).provenance.query("key == @TUNED")
    assert set(own["strength"]) == {1.0}


def test_files_are_reproduced_byte_for_byte(results: Path) -> None:
    before = {path.name: path.read_bytes() for path in (results / "records").iterdir()}
    shutil.rmtree(results / "records")
    collect_suite(SUITE)
    assert {path.name: path.read_bytes() for path in (results / "records").iterdir()} == before


def test_a_dropped_run_leaves_no_trace(results: Path, plan: dict[str, Any]) -> None:
    del plan["tuned_runs"][TUNED]
    write_plan(plan)
    collect_suite(SUITE)
    assert Path("runs/toy/train", TUNED).exists()
    for frame in vars(load_records(results / "records")).values():
        if "method" in frame:
            assert frame.query("method == 'equal_weighting' and regularizer == 'dgr'").empty


def test_missing_runs_are_all_named(plan: dict[str, Any]) -> None:
    shutil.rmtree(Path("runs/toy/train", EW))
    refused(
        plan, f"runs/toy/train/{EW}/manifest.json is missing", f"`python -m dgr train {EW}`", "`snakemake --cores all`"
    )
    shutil.rmtree(Path("runs/toy/train", TUNED))
    refused(plan, "2 records", EW, TUNED)


@pytest.mark.parametrize("name", ["metrics.json", "history.csv"])
def test_partial_run(plan: dict[str, Any], name: str) -> None:
    Path("runs/toy/train", EW, "seed-2", name).unlink()
    refused(plan, f"seed-2/{name} is missing", EW)
    write_manifest(Path("runs/toy/train", EW))
    refused(plan, f"seed-2/{name} is missing", f"train {EW}")


def test_edited_run(plan: dict[str, Any]) -> None:
    edit(Path("runs/toy/train", EW, "seed-0/metrics.json"), lambda value: value.update(strength=2), manifest=False)
    refused(plan, "was edited", EW)


def test_other_seeds_than_configured(plan: dict[str, Any]) -> None:
    plan["runs"][EW]["seeds"] = [0, 1]
    refused(plan, "seed-0, seed-1, seed-2", "seed-0, seed-1 are configured")
    plan["runs"][EW]["seeds"] = [0, 1, 2, 3]
    refused(plan, "seed-3 are configured")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["final"]["test"]["left"].update(accuracy=float("nan")), "final.test.left.accuracy"),
        (lambda m: m["final"]["val"]["left"].update(loss=float("inf")), "final.val.left.loss"),
        (lambda m: m["final"]["val"].pop("left"), "lacks left.accuracy, left.loss"),
        (lambda m: m["final"]["val"]["right"].pop("accuracy"), "lacks right.accuracy"),
        (lambda m: m["final"]["val"].update(sum={"loss": 0.0}), "has tasks left, right, sum"),
        (lambda m: m.pop("best_validation"), "best_validation"),
        (lambda m: m["representation_norm"].pop("test"), "no representation_norm on test"),
        (lambda m: m["identity"].update(seed=1), "belongs to another run"),
        (lambda m: m["identity"].update(method="pcgrad"), "belongs to another run"),
        (lambda m: m["tasks"]["left"].update(higher_is_better=False), "wrong direction"),
        (lambda m: m["tasks"]["left"].update(metric="luck"), "Metric 'luck'"),
        (lambda m: m.update(strength=3.0), "strength 3.0 with regularizer 'none'"),
        (lambda m: m["final"].update(epoch=9), "does not end at the last epoch 9"),
    ],
)
def test_metrics_that_do_not_fit(plan: dict[str, Any], change: Callable[[Any], object], message: str) -> None:
    edit(Path("runs/toy/train", EW, "seed-0/metrics.json"), change)
    refused(plan, message, "seed-0" if "luck" not in message else "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.drop(columns="val_accuracy/left"), "lacks the columns val_accuracy/left"),
        (lambda h: h.head(2), "does not end at the last epoch 3"),
        (lambda h: h.assign(**{"val_loss/right": float("nan")}), "not finite numbers in val_loss/right"),
        (lambda h: h.assign(**{"weight/left": "high"}), "not finite numbers in weight/left"),
        (lambda h: h.assign(epoch=[]) if h.empty else h.head(0), "does not end"),
    ],
)
def test_history_that_does_not_fit(plan: dict[str, Any], change: Callable[[Any], Any], message: str) -> None:
    path = Path("runs/toy/train", EW, "seed-0/history.csv")
    change(pd.read_csv(path)).to_csv(path, index=False)
    write_manifest(path.parent.parent)
    refused(plan, message, f"train {EW}")


def test_penalty_may_be_empty_only_without_regularizer(plan: dict[str, Any]) -> None:
    path = Path("runs/toy/train", TUNED, "seed-0/history.csv")
    pd.read_csv(path).assign(penalty=None).to_csv(path, index=False)
    write_manifest(path.parent.parent)
    refused(plan, "not finite numbers in penalty")


def test_damaged_json(plan: dict[str, Any]) -> None:
    path = Path("runs/toy/train", EW, "seed-0/metrics.json")
    path.write_text(path.read_text()[:40])
    write_manifest(path.parent.parent)
    refused(plan, "metrics.json cannot be read", f"train {EW}")


def test_run_of_an_older_configuration(plan: dict[str, Any]) -> None:
    plan["runs"][EW]["training"] = {"epochs": 3, "learning_rate": 0.1}
    refused(plan, "was trained with another training", f"train {EW}")


def test_a_run_says_the_strength_that_was_chosen_or_as_earlier_ones_that_it_was_tuned(plan: dict[str, Any]) -> None:
    path = Path(f"runs/toy/train/{TUNED}/seed-0/metrics.json")
    config = json.loads(path.read_text())["config"]
    assert (config["regularizer"]["strength"], config["training"]["learning_rate"]) == ("tuned", "tuned")
    edit(path, lambda p: p["config"]["regularizer"].update(strength=1.0))
    edit(path, lambda p: p["config"]["training"].update(learning_rate=RATE))
    collect_records(SUITE, plan, Path())
    shutil.rmtree(records_folder(SUITE))
    edit(path, lambda p: p["config"]["training"].update(learning_rate=0.1))
    refused(plan, "seed-0 was trained with another training", f"train {TUNED}")
    edit(path, lambda p: p["config"]["training"].update(learning_rate=RATE))
    edit(path, lambda p: p["config"]["regularizer"].update(strength=0.1))
    refused(plan, "seed-0 was trained with another regularizer", f"train {TUNED}")


@pytest.mark.parametrize(
    ("other", "told"), [({"strength": 0.1}, "0.001 and 0.1"), ({"learning_rate": 0.01}, "0.01 and 1.0")]
)
def test_run_with_another_setting_than_tuned(plan: dict[str, Any], other: dict[str, float], told: str) -> None:
    edit(OUTCOMES, lambda value: value["chosen"].update(other), manifest=False)
    refused(plan, TUNED, "learning rate 0.001 and strength 1.0", f"not with the tuned {told}")


def test_run_with_another_setting_than_configured(plan: dict[str, Any]) -> None:
    path = Path(f"runs/toy/train/{EW}/seed-1/metrics.json")
    edit(path, lambda metrics: metrics.update(learning_rate=0.1))
    refused(plan, EW, "learning rate 0.1 and strength None", "not with the configured 0.001 and None")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t["rows"].__delitem__(slice(2)), "was made for another"),
        (lambda t: t.update(key=EW), "was made for another"),
        (lambda t: t.update(rule="the nicest"), "was made for another"),
        (lambda t: t["rows"][0].update(seed=7), "was made for another"),
        (lambda t: t["rows"].append(t["rows"][0] | {"seed": 7}), "has seeds 7, which are not configured"),
        (lambda t: t["chosen"].update(strength=5.0), "chooses what was not tried with every seed"),
        (lambda t: t["chosen"].update(learning_rate=5.0), "chooses what was not tried with every seed"),
        (lambda t: t["rows"].__delitem__(5), "chooses what was not tried with every seed"),
        (lambda t: t["rows"][0]["val"]["left"].update(accuracy=float("nan")), "rows.0.val.left.accuracy"),
        (lambda t: t["rows"][0].update(mean_norm=float("inf")), "rows.0.mean_norm"),
    ],
)
def test_tuning_that_does_not_fit(plan: dict[str, Any], change: Callable[[Any], object], message: str) -> None:
    edit(OUTCOMES, change, manifest=False)
    refused(plan, message, f"`python -m dgr tune {TUNED}`")


def test_missing_tuning(plan: dict[str, Any]) -> None:
    OUTCOMES.unlink()
    refused(plan, "is missing", f"`python -m dgr tune {TUNED}`")


def test_two_runs_for_one_cell(plan: dict[str, Any]) -> None:
    plan["runs"]["again"] = plan["runs"][EW]
    refused(plan, f"Runs {EW}, again", "same cell")


def test_tasks_must_agree(plan: dict[str, Any]) -> None:
    def third(metrics: Any) -> None:
        metrics["tasks"]["third"] = metrics["tasks"]["left"]
        for moment in ("final", "best_validation"):
            for split in ("train", "val", "test"):
                metrics[moment][split]["third"] = metrics[moment][split]["left"]

    path = Path("runs/toy/train", EW, "seed-2")
    columns = dict.fromkeys(("train_loss/third", "weight/third", "val_loss/third", "val_accuracy/third"), 1.0)
    pd.read_csv(path / "history.csv").assign(**columns).to_csv(path / "history.csv", index=False)
    edit(path / "metrics.json", third)
    refused(plan, EW, "other tasks")


def test_unknown_suite(plan: dict[str, Any]) -> None:
    assert plan
    with pytest.raises(DGRError, match=r"Suite 'toi' has no runs .* did you mean 'toy'"):
        collect_suite("toi")


def test_nothing_is_lost_when_runs_break_later(results: Path, plan: dict[str, Any]) -> None:
    before = (results / "records/runs.csv").read_bytes()
    shutil.rmtree(Path("runs/toy/train", EW))
    with pytest.raises(DGRError):
        collect_suite(SUITE)
    assert plan
    assert (results / "records/runs.csv").read_bytes() == before


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n"])
def test_records_that_cannot_be_loaded(results: Path, text: str | None) -> None:
    (results / "records/histories.csv").unlink() if text is None else (results / "records/histories.csv").write_text(
        text
    )
    with pytest.raises(DGRError, match="python -m dgr collect toy"):
        load_records(results / "records")
