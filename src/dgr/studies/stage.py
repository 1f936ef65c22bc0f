"""The stage of a study: every seed's rows, one committed file."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.files import read_json, sha256, write_json, write_text
from dgr.core.origin import first_origin, origin
from dgr.core.paths import UNFINISHED, origins_folder, records_folder
from dgr.core.provenance import code_hash, config_hash
from dgr.studies.registry import StudyConfig, rows, tuning
from dgr.studies.row import Row
from dgr.studies.schema import StudyEntry
from dgr.studies.tuned_rates import Trial, chosen_rates


def run_study(key: str) -> None:
    """Run every seed of a study and write its records; a killed call goes on with the seed it was at.

    Written: ``results/SUITE/records/NAME.csv``, one row a number, ``NAME.json``, the settings and the learning rates
    that were tried and chosen, and ``results/SUITE/origins/NAME.json``, who made these numbers first. Studies are small
    and run on the CPU, with one thread.

    Args:
        key: a key of the plan's studies.

    Raises:
        DGRError: unknown key, a number that is not finite, unwritable folder.
    """
    entry = parse(StudyEntry, plan_entry(key, ("studies",)), key)
    device = choose_device("cpu")
    settings = entry.model_dump(mode="json", exclude={"seeds"})
    workspace = UNFINISHED / f"{key}-{config_hash({'config': settings, 'code': code_hash()})[:16]}"
    trials = _tuned(entry.study, workspace, key)
    rates = chosen_rates(trials)
    found = []
    for seed in tqdm(entry.seeds, desc=key, unit="seed", leave=False, disable=None):
        done = workspace / f"{seed}.json"
        if not done.exists():
            start = time.perf_counter()
            made = [_checked(key, seed, row) for row in rows(entry.study, seed, rates)]
            write_json(done, {"rows": made, "seconds": time.perf_counter() - start})
        found.append((seed, read_json(done, f"remove {workspace} and run again")))
    columns = ["seed", *Row._fields]
    records = pd.DataFrame([[seed, *row] for seed, kept in found for row in kept["rows"]], columns=columns)
    seconds = sum(kept["seconds"] for _, kept in found) + read_json(workspace / "tuning.json", "")["seconds"]
    stem = records_folder(entry.suite) / entry.name
    write_text(stem.with_suffix(".csv"), records.to_csv(index=False, lineterminator="\n"))
    tried = {"rates": rates, "trials": [list(trial) for trial in trials]} if trials else None
    write_json(stem.with_suffix(".json"), {"config": entry.model_dump(mode="json"), "tuning": tried})
    place = origins_folder(entry.suite) / f"{entry.name}.json"
    write_json(place, first_origin(place, {"result": sha256(stem.with_suffix(".csv")), **origin(device, seconds)}))
    _remove(workspace)


def _tuned(study: StudyConfig, workspace: Path, key: str) -> list[Trial]:
    """The trials, made once: a call that was killed later finds them."""
    kept = workspace / "tuning.json"
    if not kept.exists():
        start = time.perf_counter()
        trials = [list(trial) for trial in tuning(study)]
        write_json(kept, {"trials": trials, "seconds": time.perf_counter() - start})
    return [Trial(*trial) for trial in read_json(kept, f"remove {workspace} and run {key} again")["trials"]]


def _checked(key: str, seed: int, row: Row) -> list[Any]:
    if not math.isfinite(row.value):
        raise DGRError(
            f"{key}, seed {seed}: {row.measure} of {row.method} ({row.setting}, level {row.level:g}) is {row.value}; "
            "lower the learning rate in its file."
        )
    return [*row[:-1], round(row.value, 10)]


def _remove(workspace: Path) -> None:
    for path in workspace.iterdir():
        path.unlink()
    workspace.rmdir()
