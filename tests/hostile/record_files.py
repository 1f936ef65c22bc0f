"""A finished made-up suite, and each kind of record in it: where it lies, and who reads it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from synthetic import RATE, SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.config.plan_file import plan_entry, read_plan
from dgr.core.files import write_json, write_manifest
from dgr.core.paths import DATA, MADE, output_path, records_folder, tuning_file
from dgr.datasets.prepared import load
from dgr.datasets.registry import planned_dataset
from dgr.records.answers import right_answers, sources_by_seed
from dgr.records.collecting import collect_suite
from dgr.records.measurement_files import read_baselines, read_costs, read_probes, read_sweep
from dgr.records.origins import read_origins
from dgr.records.records import configured_runs, load_records
from dgr.records.run_folders import read_run, read_tuning
from dgr.training.configuration import RunConfig, TuningConfig
from dgr.training.tuning import chosen_setting, matched_norm

CELLS = (("single_task", ("none",)), ("equal_weighting", ("none", "dgr")))
TWO_RUNS = make_plan(CELLS, (0, 1))
KEY, PLAIN = (f"{SUITE}-digits-conv-equal_weighting-{name}" for name in ("dgr", "none"))
RUN = output_path(SUITE, "train", KEY)
RECORDS = ("runs", "probes", "answers", "sources")
"""Of the ten, those that are read in ways of their own."""
SWEEP = {
    "suite": SUITE,
    "name": "s",
    "run": {"seeds": [0], "regularizer": {"strength": 1.0}},
    "vary": {"regularizer.strength": [0.1, 1.0]},
}
COSTS = {"suite": SUITE, "methods": [{"name": "equal_weighting"}], "rounds": 2}


class Kind(NamedTuple):
    """A kind of record.

    Attributes:
        path: of one of them.
        read: by who needs it, in the working directory.
        listed: whether manifests name its hash; they are made to fit, as a forger would.
        told: what a sentence may say in place of the file's or its folder's name.
    """

    path: Path
    read: Callable[[], object]
    listed: bool = False
    told: str = ""


def _planned() -> None:
    plan = read_plan()
    configured_runs(plan, SUITE)
    plan_entry(KEY, ("runs", "tuned_runs"))
    planned_dataset("tiny", plan)


def _answers() -> None:
    records = load_records(records_folder(SUITE))
    right_answers(records.answers, "equal_weighting", "dgr")
    sources_by_seed(records.sources)


ARCHITECTURE = {"name": "conv", "channels": [2], "width": 4, "hidden": 4}
TUNED = RunConfig.model_validate(
    {
        "suite": SUITE,
        "dataset": "digits",
        "architecture": ARCHITECTURE,
        "method": {"name": "equal_weighting"},
        "regularizer": {"name": "dgr", "strength": "tuned"},
        "seeds": [0],
        "training": {"epochs": 1, "batch_size": 2, "learning_rate": "tuned"},
    }
)
MATCHED = TuningConfig(rule="matched_norm", matches="dgr", strengths=[0.1, 1.0], seeds=[100], run=TUNED, matched=KEY)


def _choice() -> None:
    chosen_setting(TUNED)
    with suppress(TypeError):  # words as sizes of z: the one known limit, see docs/reliability.md
        matched_norm(MATCHED)


_read_run = partial(read_run, KEY, TWO_RUNS["tuned_runs"][KEY], Path())
_read_data = partial(load, "tiny", DATA, 0)
JSON = {
    "plan": Kind(Path("plan.json"), _planned),
    "metrics": Kind(RUN / "seed-1/metrics.json", _read_run, listed=True),
    "manifest of a run": Kind(RUN / "manifest.json", _read_run),
    "manifest of a seed": Kind(RUN / "seed-1/manifest.json", _read_run),
    "origin": Kind(MADE / SUITE / KEY / "seed-1.json", _read_run),
    "tuning": Kind(tuning_file(SUITE, KEY), partial(read_tuning, KEY, TWO_RUNS["tuning"][KEY], Path())),
    "choice": Kind(tuning_file(SUITE, KEY), _choice),
    "probes": Kind(
        output_path(SUITE, "probe", f"{PLAIN}.json"), partial(read_probes, PLAIN, TWO_RUNS["probes"][PLAIN], Path())
    ),
    "baselines": Kind(
        output_path(SUITE, "baselines", f"{SUITE}-digits.json"),
        partial(read_baselines, f"{SUITE}-digits", TWO_RUNS["baselines"][f"{SUITE}-digits"], Path()),
    ),
    "sweep": Kind(output_path(SUITE, "sweep", "k.json"), partial(read_sweep, "k", SWEEP, Path())),
    "costs": Kind(output_path(SUITE, "cost", "k.json"), partial(read_costs, "k", COSTS, Path())),
    "manifest of a data set": Kind(DATA / "tiny/manifest.json", _read_data, told="split '"),  # and the task
}
CSV = {
    "history": Kind(RUN / "seed-1/history.csv", _read_run, listed=True),
    "origins": Kind(Path("results") / SUITE / "origins/runs.csv", partial(read_origins, SUITE)),
    **{f"records of {name}": Kind(records_folder(SUITE) / f"{name}.csv", _answers) for name in RECORDS},
}


def make_suite(root: Path) -> None:
    """A finished suite in the working directory; of each CSV file the first lines are enough."""
    make_runs(TWO_RUNS, root)
    make_measurements(TWO_RUNS, root)
    write_plan(
        TWO_RUNS
        | {
            "datasets": {
                "tiny": {
                    "kind": "noise",
                    "image_size": 4,
                    "classes": {"a": 2},
                    "samples": {"train": 4, "val": 2, "test": 2},
                    "seed": 0,
                }
            },
            "fetched_datasets": {},
            "local_datasets": {},
        }
    )
    collect_suite(SUITE)
    for path in records_folder(SUITE).glob("*.csv"):
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:4]))
    rows: list[dict[str, Any]] = [
        {
            "settings": {"regularizer.strength": value},
            "seed": 0,
            "split": "test",
            "task": "left",
            "metric": "loss",
            "value": 1.0,
        }
        for value in (0.1, 1.0)
    ]
    write_json(output_path(SUITE, "sweep", "k.json"), {"key": "k", "name": "s", "rows": rows, "agreement": []})
    case = {
        "method": "equal_weighting",
        "regularizer": "none",
        "num_dummies": 1,
        "seconds": [RATE, RATE],
        "peak_memory_mb": None,
    }
    write_json(output_path(SUITE, "cost", "k.json"), {"key": "k", "device": "cpu", "threads": 1, "rows": [case]})


def listed_anew(path: Path) -> None:
    """Let the manifests beside and above a file fit it."""
    for folder in (path.parent, path.parent.parent):
        write_manifest(folder, trained={})
