import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.core.errors import DGRError
from dgr.core.files import write_manifest
from dgr.core.paths import records_folder
from dgr.records.collecting import collect_records, collect_suite
from dgr.records.outcomes import UNIVERSALITY
from dgr.records.records import load_records

EW = "toy-digits-conv-equal_weighting-none"
PROBES, BASELINES = f"runs/toy/probe/{EW}.json", "runs/toy/baselines/toy-digits.json"
SWEEP, COSTS = "runs/toy/sweep/toy-digits-conv-strength.json", "runs/toy/cost/toy-digits-conv.json"
POINTS = [0.1, 1.0]
STRENGTH = "regularizer.strength"


@pytest.fixture
def measured(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan with a sweep and a cost measurement, which have been made."""
    architecture = {"name": "conv", "channels": [2], "width": 4, "hidden": 4}
    training = {"epochs": 1, "batch_size": 4, "learning_rate": 0.1}
    run = {"suite": SUITE, "dataset": "digits", "architecture": architecture, "training": training, "seeds": [0, 1]}
    run |= {"method": {"name": "equal_weighting"}, "regularizer": {"name": "dgr", "strength": 0.1}}
    plan["sweeps"] = {Path(SWEEP).stem: {"suite": SUITE, "name": "strength", "run": run, "vary": {STRENGTH: POINTS}}}
    methods = [{"name": "equal_weighting"}, {"name": "pcgrad"}]
    shared = {name: run[name] for name in ("suite", "dataset", "architecture", "training")}
    plan["costs"] = {Path(COSTS).stem: {**shared, "methods": methods, "rounds": 2, "steps": 3}}
    pairs = [({STRENGTH: point}, seed) for point in POINTS for seed in (0, 1)]
    value = {"split": "test", "task": "left", "metric": "accuracy", "value": 0.5}
    agreement = {"epoch": 1, "cosine": 0.5, "norm_ratio": 2.0}
    write(
        SWEEP,
        {
            "key": Path(SWEEP).stem,
            "name": "strength",
            "rows": [{"settings": settings, "seed": seed, **value} for settings, seed in pairs],
            "agreement": [{"settings": settings, "seed": seed, **agreement} for settings, seed in pairs],
        },
    )
    cost = {"num_dummies": 0, "seconds": [0.1, 0.2], "peak_memory_mb": None}
    rows = [{"method": method["name"], "regularizer": "none", **cost} for method in methods]
    write(COSTS, {"key": Path(COSTS).stem, "device": "cpu (made up)", "threads": 1, "rows": rows})
    write_plan(plan)
    return plan


def write(path: str, value: Any) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(json.dumps(value))


def test_measurements_become_records(measured: dict[str, Any]) -> None:
    assert measured
    collect_suite(SUITE)
    records = load_records(Path("results", SUITE, "records"))
    made = json.loads(Path(PROBES).read_text())
    probes = records.probes.query("method == 'equal_weighting' and regularizer == 'none'")
    assert list(probes["value"]) == [row["value"] for row in made["rows"]]
    assert list(probes["seed"]) == [row["seed"] for row in made["rows"]]
    plain = records.probes[records.probes["seed"].isna()]
    assert set(plain["given"]) == {"majority", "pixels"}
    assert plain[["architecture", "method", "regularizer"]].isna().all(axis=None)
    losses = records.universality.query("method == 'equal_weighting' and regularizer == 'none'")
    for column in (*UNIVERSALITY, "mean_norm"):
        assert list(losses[column]) == [row[column] for row in made["universality"]]
    assert list(records.sweeps["settings"].map(json.loads)) == [{STRENGTH: 0.1}] * 2 + [{STRENGTH: 1.0}] * 2
    assert records.agreement["norm_ratio"].eq(2).all()
    assert list(records.costs["method"]) == ["equal_weighting"] * 2 + ["pcgrad"] * 2
    assert list(records.costs["round"]) == [0, 1, 0, 1]
    assert list(records.costs["seconds_per_step"]) == [0.1, 0.2, 0.1, 0.2]
    assert records.costs["peak_memory_mb"].isna().all()


def test_a_suite_without_measurements_has_empty_records(workplace: Path) -> None:
    plan = {name: part for name, part in make_plan().items() if name not in ("probes", "baselines")}
    write_plan(plan)
    make_runs(plan, workplace)
    collect_suite(SUITE)
    records = load_records(Path("results", SUITE, "records"))
    for name in ("probes", "universality", "sweeps", "agreement", "costs"):
        frame = getattr(records, name)
        assert frame.empty
        assert {"suite", "seed" if name != "costs" else "round"} <= set(frame)


@pytest.mark.parametrize(
    ("path", "command"),
    [(PROBES, "probe"), (BASELINES, "baselines"), (SWEEP, "sweep"), (COSTS, "cost")],
)
def test_missing_damaged_and_foreign_files(measured: dict[str, Any], path: str, command: str) -> None:
    text = Path(path).read_text()
    Path(path).write_text(text[:30])
    refused(measured, f"{path} cannot be read", f"`python -m dgr {command} {Path(path).stem}`")
    write(path, {**json.loads(text), "key": "another"})
    refused(measured, f"{path} was made for another key", command)
    write(path, {**json.loads(text), "rows": []})
    refused(measured, path, "values" if path == SWEEP else "", command)
    Path(path).unlink()
    refused(measured, f"{path} is missing", f"`python -m dgr {command} {Path(path).stem}`", "`snakemake --cores all`")


def refused(plan: dict[str, Any], *parts: str) -> None:
    with pytest.raises(DGRError) as caught:
        collect_records(SUITE, plan, Path())
    for part in parts:
        assert part in str(caught.value)
    assert not records_folder(SUITE).exists()


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        (PROBES, lambda r: r["rows"].pop(3), "lacks 1 accuracies of 'representation', the first for 0, left, logistic"),
        (PROBES, lambda r: r["rows"].append(r["rows"][0]), "holds twice"),
        (PROBES, lambda r: r["rows"][0].update(value=float("nan")), "rows.0.value"),
        (PROBES, lambda r: r["rows"][0].update(seed=9), "lacks 1 accuracies"),
        (PROBES, lambda r: r["config"].update(train_samples=7), "other settings than configured"),
        (
            PROBES,
            lambda r: r["universality"].pop(),
            "lacks 1 measurements of universality, the first for 2, 3, left_greater",
        ),
        (PROBES, lambda r: r["universality"].clear(), "no measurements of universality"),
        (PROBES, lambda r: r["universality"][0].update(label_area=float("inf")), "universality.0.label_area"),
        (BASELINES, lambda r: r["rows"].pop(), "lacks 1 values of 'pixels'"),
        (BASELINES, lambda r: r.update(rows=r["rows"][3:]), "no values of 'majority'"),
        (SWEEP, lambda r: r["rows"].pop(), 'lacks 1 values, the first for {"regularizer.strength": 1.0}, 1'),
        (SWEEP, lambda r: r["rows"][0]["settings"].update({STRENGTH: 7.0}), "lacks 1 values"),
        (SWEEP, lambda r: r.update(name="luck"), "another key"),
        (SWEEP, lambda r: r["agreement"][0].update(cosine=float("nan")), "agreement.0.cosine"),
        (COSTS, lambda r: r["rows"].pop(), "lacks 1 methods, the first for pcgrad"),
        (COSTS, lambda r: r["rows"][0].update(seconds=[0.1, float("nan")]), "rows.0.seconds.1"),
        (COSTS, lambda r: r["rows"][0].update(seconds=[0.1]), "was made for another key or other settings"),
    ],
)
def test_measurements_that_do_not_fit(
    measured: dict[str, Any], path: str, change: Callable[[Any], object], message: str
) -> None:
    record = json.loads(Path(path).read_text())
    change(record)
    write(path, record)
    refused(measured, path, message, "make it with `python -m dgr")


def test_probes_of_other_tasks_or_epochs_than_the_run(plan: dict[str, Any]) -> None:
    record = json.loads(Path(PROBES).read_text())
    write(PROBES, {**record, "universality": [row for row in record["universality"] if row["epoch"] != 3]})
    refused(plan, f"The probes of {EW} do not fit its runs", f"`python -m dgr probe {EW}`")
    new = [row for row in record["universality"] if row["task"] != "left_greater"]
    write(PROBES, {**record, "universality": new})
    refused(plan, "do not fit")
    early = [row for row in record["universality"] if (row["task"], row["epoch"]) != ("left", 1)]
    write(PROBES, {**record, "universality": early})
    refused(plan, "do not fit")
    write(PROBES, {**record, "rows": [row for row in record["rows"] if row["task"] != "left"]})
    refused(plan, "do not fit")


def test_all_missing_measurements_are_named(plan: dict[str, Any]) -> None:
    for path in Path("runs/toy/probe").iterdir():
        path.unlink()
    refused(plan, "6 records cannot be used", EW)


def test_sweeps_of_one_name(measured: dict[str, Any]) -> None:
    (entry,) = measured["sweeps"].values()
    measured["sweeps"]["again"] = entry
    refused(measured, "several 'strength'")


def test_dropout_and_weight_decay_have_no_penalty(workplace: Path) -> None:
    plan = make_plan((("single_task", ("none",)), ("equal_weighting", ("none", "dropout", "weight_decay"))))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    for key in plan["tuned_runs"]:
        for path in Path("runs", key).glob("*/history.csv"):
            pd.read_csv(path).assign(penalty=None, gradient_ratio=None).to_csv(path, index=False)
        write_manifest(Path("runs") / key)
    collect_suite(SUITE)
    assert set(load_records(Path("results", SUITE, "records")).runs["regularizer"]) == {
        "none",
        "dropout",
        "weight_decay",
    }
