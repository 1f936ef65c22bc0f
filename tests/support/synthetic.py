"""A small made-up suite: a plan, finished run folders and tuning records, as training would leave them."""

import itertools
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dgr.core.files import write_json, write_manifest
from dgr.core.paths import MADE, tuning_file
from dgr.core.provenance import result_hash

SUITE, TASKS = "toy", ("left", "right")
PROBED = (*TASKS, "left_greater")
RATES, GRID = [0.001, 0.01], [0.01, 0.1, 1.0]
RATE = 0.001
"""Of every run, chosen or configured."""
GAIN = {"none": 0.0, "dgr": 0.03, "norm": 0.025, "dropout": 0.005, "weight_decay": 0.01}
STRENGTHS = {"none": None, "dgr": 1.0, "norm": 0.1, "dropout": 0.1, "weight_decay": 0.01}
TRAINED_OUT = {"trained_out": {"epochs": 1, "points": 1.0}}
PROBING = {"train_samples": 50, "draws": 8}
CLASSIFIERS = ("knn", "tree", "svm", "logistic", "forest")
CELLS = (
    ("single_task", ("none",)),
    ("equal_weighting", ("none", "dgr", "norm")),
    ("pcgrad", ("none", "dgr")),
)


def make_plan(cells: Any = CELLS, seeds: tuple[int, ...] = (0, 1, 2), epochs: int = 3) -> dict[str, Any]:
    plan: dict[str, Any] = {stage: {} for stage in ("tuning", "matching", "runs", "tuned_runs", "probes")}
    plan["suites"] = {SUITE: {}}
    for stage, names in (("tables", ("T1", "T4")), ("figures", ("F2", "F5"))):
        plan[stage] = {f"{SUITE}-{name}": {"suite": SUITE, "name": name} for name in names}
    place = {"suite": SUITE, "dataset": "digits"}
    plan["baselines"] = {f"{SUITE}-digits": {**PROBING, **place}}
    for method, regularizers in cells:
        for name in regularizers:
            entry = {
                "suite": SUITE,
                "dataset": "digits",
                "architecture": {"name": "conv", "width": 4},
                "method": {"name": method, "options": {}},
                "regularizer": {"name": name} | ({} if name == "none" else {"strength": "tuned"}),
                "seeds": list(seeds),
                "training": {"epochs": epochs, "learning_rate": RATE if name == "none" else "tuned", **TRAINED_OUT},
            }
            key = f"{SUITE}-digits-conv-{method}-{name}"
            plan["runs" if name == "none" else "tuned_runs"][key] = entry
            shared = {name: entry[name] for name in ("suite", "dataset", "architecture", "seeds")}
            plan["probes"][key] = {**PROBING, **shared}
            if name != "none":
                rule = {"rule": "best_mean_validation", "learning_rates": RATES, "strengths": GRID, "seeds": [100, 101]}
                rule |= {"finalists": None, "extensions": 0, "matches": None, "matched": None}
                plan["tuning"][key] = {**rule, "run": {**entry, "seeds": [100, 101]}}
    return plan


def write_plan(plan: dict[str, Any]) -> None:
    Path("paper_configs").mkdir(exist_ok=True)
    Path("plan.json").write_text(json.dumps(plan))


def make_runs(plan: dict[str, Any], root: Path) -> None:
    for key, entry in (plan["runs"] | plan["tuned_runs"]).items():
        chosen = STRENGTHS[entry["regularizer"]["name"]]
        if key in plan["tuning"]:
            make_tuning(key, plan["tuning"][key], chosen, root)
        for seed in entry["seeds"]:
            make_seed(key, entry, seed, chosen, root)
        write_manifest(root / "runs" / SUITE / "train" / key, key=key, seeds=entry["seeds"])


def make_tuning(key: str, entry: dict[str, Any], chosen: float | None, root: Path) -> None:
    values = {task: {"loss": 0.5, "accuracy": 0.75} for task in TASKS}
    tried = itertools.product(entry["learning_rates"], entry["strengths"], entry["seeds"])
    rows = [
        {"learning_rate": rate, "strength": strength, "seed": seed, "val": values, "mean_norm": 2.5}
        for rate, strength, seed in tried
    ]
    setting = {"learning_rate": RATE, "strength": chosen}
    write_json(root / tuning_file(SUITE, key), {"key": key, "rule": entry["rule"], "rows": rows, "chosen": setting})


def make_seed(key: str, entry: dict[str, Any], seed: int, strength: float | None, root: Path) -> None:
    folder = root / "runs" / SUITE / "train" / key / f"seed-{seed}"
    folder.mkdir(parents=True)
    method, name, epochs = entry["method"]["name"], entry["regularizer"]["name"], entry["training"]["epochs"]
    random = np.random.default_rng(zlib.crc32(f"{key}/{seed}".encode()))
    top = 0.9 + GAIN[name] + (zlib.crc32(method.encode()) % 7) / 1000 + 0.004 * random.standard_normal()
    rows: list[dict[str, Any]] = []
    for epoch in range(1, epochs + 1):
        row = {"epoch": epoch, "learning_rate": 0.001, "penalty": None, "gradient_ratio": None}
        if strength is not None:
            row |= {"penalty": 0.1 / epoch, "gradient_ratio": 0.01}
        for task in TASKS:
            value = top - 0.8 * np.exp(-9.0 * epoch / epochs) + 0.004 * random.standard_normal()
            row |= {f"train_loss/{task}": 0.3, f"weight/{task}": 1.0}
            row |= {f"val_loss/{task}": 0.4, f"val_accuracy/{task}": round(value, 4)}
        rows.append(row)
    pd.DataFrame(rows).to_csv(folder / "history.csv", index=False)

    def scores(row: dict[str, Any]) -> dict[str, Any]:
        values = {task: row[f"val_accuracy/{task}"] for task in TASKS}
        shifts = {"train": 0.02, "val": 0.0, "test": -0.003}
        return {
            split: {task: {"loss": 0.4, "accuracy": round(value + shift, 4)} for task, value in values.items()}
            for split, shift in shifts.items()
        }

    best = max(rows, key=lambda row: sum(row[f"val_accuracy/{task}"] for task in TASKS))
    names = {part: entry[part]["name"] for part in ("architecture", "method", "regularizer")}
    settings = {name: value for name, value in entry.items() if name != "seeds"}
    norm = 36.0 if strength is None else 4.75
    metrics = {
        "identity": {"suite": entry["suite"], "dataset": entry["dataset"], **names, "seed": seed},
        "config": {**settings, "seed": seed, "strength": strength},
        "learning_rate": RATE,
        "strength": strength,
        "tasks": {task: {"metric": "accuracy", "higher_is_better": True} for task in TASKS},
        "final": {"epoch": epochs, **scores(rows[-1])},
        "best_validation": {"epoch": best["epoch"], **scores(best)},
        "representation_norm": {split: round(norm + random.random(), 3) for split in ("train", "val", "test")},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    write_manifest(folder, trained={})
    made = {
        "result": result_hash(json.loads((folder / "manifest.json").read_text())["files"]),
        "commit": "0" * 40,
        "dirty": False,
        "versions": {"python": "3.11.2", "torch": "2.13.0", "torchjd": "0.18.0", "numpy": "2.4.6"},
        "device": "cpu (made up)",
        "numerics": "portable x86-64",
        "threads": 1,
        "wall_seconds": 4.5,
        "peak_memory_mb": 400.0,
        "median_epoch_seconds": 1.5,
    }
    write_json(root / MADE / entry["suite"] / key / f"seed-{seed}.json", made)


def make_measurements(plan: dict[str, Any], root: Path) -> None:
    """Probes of every run and the baselines, as those stages would leave them."""
    for stage in ("probe", "baselines"):
        (root / "runs" / SUITE / stage).mkdir(exist_ok=True)
    for key, entry in plan["probes"].items():
        (root / "runs" / SUITE / "probe" / f"{key}.json").write_text(json.dumps(make_probes(key, entry, plan)))
    for key, entry in plan["baselines"].items():
        rows = [{"given": "majority", "task": task, "classifier": "majority", "value": 0.1} for task in PROBED]
        rows += [
            {"given": "pixels", "task": task, "classifier": name, "value": round(0.6 + index / 50, 4)}
            for task in PROBED
            for index, name in enumerate(CLASSIFIERS)
        ]
        record = {"key": key, "config": entry, "rows": rows}
        (root / "runs" / SUITE / "baselines" / f"{key}.json").write_text(json.dumps(record))


def make_probes(key: str, entry: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    run = (plan["runs"] | plan["tuned_runs"])[key]
    method, name, last = run["method"]["name"], run["regularizer"]["name"], run["training"]["epochs"]
    rows, measured = [], []
    for seed in entry["seeds"]:
        random = np.random.default_rng(zlib.crc32(f"probe/{key}/{seed}".encode()))
        inputs = (
            ["representation", "untrained"] if (method, name) == ("equal_weighting", "none") else ["representation"]
        )
        for given, task, classifier in itertools.product(inputs, PROBED, CLASSIFIERS):
            value = 0.7 + GAIN[name] - 0.3 * (given == "untrained") + 0.01 * random.standard_normal()
            row = {"seed": seed, "given": given, "task": task, "classifier": classifier}
            rows.append({**row, "value": round(value, 4)})
        epochs = [0, 1, last] if method == "equal_weighting" else [last]
        for epoch in epochs:
            for task in PROBED if epoch == last else TASKS:
                refitted = 0.4 + 1.5 / (1 + epoch) - GAIN[name] + 0.01 * random.standard_normal()
                losses = {"refitted_loss": refitted, "label_area": refitted + 0.5, "step_area": refitted + 0.8}
                row = {"seed": seed, "epoch": epoch, "task": task, "tempered_loss": 2.3}
                row |= {measure: round(loss, 4) for measure, loss in losses.items()}
                measured.append({**row, "mean_norm": 1.0 + epoch * (10.0 if name == "none" else 1.0)})
    return {"key": key, "config": entry, "settings": {}, "rows": rows, "universality": measured}
