"""Made-up sweeps and costs, beside the made-up runs of the suite."""

import itertools
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import RATE, SUITE, TASKS, write_plan

from dgr.records.records import load_records
from dgr.records.rows import AGREEMENT_COLUMNS
from dgr.records.scope import Scope, open_scope
from dgr.training.configuration import SweepConfig

ARCHITECTURE = {"name": "conv", "channels": [2], "width": 4, "hidden": 4}
DGR = {"name": "dgr", "strength": 0.1}
SWEEPS: dict[str, dict[str, Any]] = {
    "strength": {"regularizer.strength": [0.01, 0.1, 10.0]},
    "norm_strength": {"regularizer": [{"name": "norm", "strength": 0.001}, {"name": "norm", "strength": 0.01}]},
    "estimator": {
        "architecture.activation": ["relu", "gelu"],
        "regularizer": [
            DGR | {"estimator": "exact"},
            DGR | {"estimator": "finite_difference", "epsilon": 0.001},
            DGR | {"estimator": "finite_difference", "epsilon": 0.1},
        ],
    },
    "variant": {"regularizer": [DGR | {"num_dummies": 4}, DGR | {"norm": "plain", "per_task": True}]},
    "normalized": {
        "regularizer": [{"name": "normalized_dgr", "strength": 0.0}, {"name": "normalized_dgr", "strength": 1.0}]
    },
}
COLLAPSED = 10.0


def make_sweeps(plan: dict[str, Any], names: Any = SWEEPS) -> None:
    for name in names:
        run = {
            "suite": SUITE,
            "dataset": "digits",
            "architecture": ARCHITECTURE,
            "method": {"name": "equal_weighting", "options": {}},
            "regularizer": DGR,
            "seeds": [0, 1],
            "training": {"epochs": 2, "batch_size": 4, "learning_rate": RATE},
        }
        entry = {"suite": SUITE, "name": name, "run": run, "vary": SWEEPS[name]}
        plan.setdefault("sweeps", {})[f"{SUITE}-digits-conv-{name}"] = entry


def sweep_frames(plan: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, agreement = [], []
    for entry in plan["sweeps"].values():
        for (settings, config), seed in itertools.product(SweepConfig(**entry).points(), entry["run"]["seeds"]):
            names = {"suite": SUITE, "sweep": entry["name"], "settings": json.dumps(settings), "seed": seed}
            strength = getattr(config.regularizer, "strength", 0.0)
            top = 0.2 if strength == COLLAPSED else 0.9 + 0.01 * seed
            values = {(task, "accuracy"): top for task in TASKS} | {("representation", "mean_norm"): 5.0 + seed}
            for split, ((task, metric), value) in itertools.product(("val", "test"), values.items()):
                shifted = value - 0.05 * (split == "val")
                rows.append({**names, "split": split, "task": task, "metric": metric, "value": shifted})
            if getattr(config.regularizer, "estimator", None) == "finite_difference":
                agreement += [{**names, "epoch": e, "cosine": 0.5 + 0.1 * e, "norm_ratio": 2.0} for e in range(3)]
    return pd.DataFrame(rows), pd.DataFrame(agreement, columns=AGREEMENT_COLUMNS)


def make_costs() -> pd.DataFrame:
    place = {"suite": SUITE, "dataset": "digits", "architecture": "conv", "device": "cpu (made up)", "threads": 1}
    cases = [("pcgrad", "dgr", 4, 0.030), ("pcgrad", "none", 0, 0.016), ("pcgrad", "dgr", 1, 0.020)]
    cases += [("equal_weighting", "authors", 1, 0.024), ("equal_weighting", "none", 0, 0.008)]
    names = ("method", "regularizer", "num_dummies", "seconds_per_step")
    rows = [{**place, **dict(zip(names, case, strict=True)), "round": turn} for case in cases for turn in range(6)]
    # The second half of the rounds is slow for all.
    slow = {"seconds_per_step": lambda frame: frame["seconds_per_step"] * (1 + 0.5 * (frame["round"] > 3))}
    return pd.DataFrame(rows).assign(**slow, peak_memory_mb=7.04)


@pytest.fixture
def opened(results: Path, plan: dict[str, Any]) -> Any:
    """A scope with sweeps; the names of some may be given."""

    def open_(name: str, chosen: Any = SWEEPS) -> Scope:
        make_sweeps(plan, chosen)
        for kind, names in (("tables", ("T5", "T6")), ("figures", ("F1", "F3", "F7"))):
            plan[kind] |= {f"{SUITE}-{each}": {"suite": SUITE, "name": each} for each in names}
        write_plan(plan)
        sweeps, agreement = sweep_frames(plan)
        texts = {"sweeps": sweeps, "agreement": agreement, "costs": make_costs()}
        for file, frame in texts.items():
            frame.to_csv(results / f"records/{file}.csv", index=False)
        return open_scope(
            "tables" if name[0] == "T" else "figures", SUITE, name, plan, load_records(results / "records")
        )

    return open_
