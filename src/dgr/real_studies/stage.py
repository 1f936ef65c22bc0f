"""The stage of a study of fetched data: every seed's rows, one committed file, as of :mod:`dgr.studies.stage`."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.files import read_json, read_manifest, sha256, write_json, write_text
from dgr.core.origin import first_origin, origin
from dgr.core.paths import SOURCES, UNFINISHED, origins_folder, records_folder
from dgr.core.provenance import code_hash, config_hash
from dgr.real_studies.registry import real_rows, real_trials
from dgr.real_studies.schema import RealStudyEntry
from dgr.studies.row import Row
from dgr.studies.tuned_rates import Trial, chosen_rates


def run_real_study(key: str) -> None:
    """Run every seed of a study and write its records; a killed call goes on with the seed it was at.

    Written: ``results/SUITE/records/NAME.csv``, one row a number, ``NAME.json``, the settings, the hash of the source's
    tree, and the learning rates that were tried and chosen, and ``results/SUITE/origins/NAME.json``, who made these
    numbers first. On the CPU, with one thread.

    Args:
        key: a key of the plan's real studies.

    Raises:
        DGRError: unknown key, a source that is not fetched or not as it was, a number that is not finite, unwritable
            folder.
    """
    entry = parse(RealStudyEntry, plan_entry(key, ("real_studies",)), key)
    place = SOURCES / entry.study.source
    tree = read_manifest(place, f"run `python -m dgr fetch {entry.study.source}`")["tree"]
    settings = {"config": entry.model_dump(mode="json", exclude={"seeds"}), "code": code_hash(), "tree": tree}
    workspace = UNFINISHED / f"{key}-{config_hash(settings)[:16]}"
    tuned = _once(workspace / "tuning.json", lambda: [list(trial) for trial in real_trials(entry.study, place)])
    trials = [Trial(*trial) for trial in tuned["made"]]
    rates = chosen_rates(trials)
    found = {}
    for seed in tqdm(entry.seeds, desc=key, unit="seed", leave=False, disable=None):

        def make(seed: int = seed) -> list[list[Any]]:
            return [_checked(key, seed, row) for row in real_rows(entry.study, seed, rates, place)]

        found[seed] = _once(workspace / f"{seed}.json", make)
    rows = [[seed, *row] for seed, kept in found.items() for row in kept["made"]]
    stem = records_folder(entry.suite) / entry.name
    records = pd.DataFrame(rows, columns=["seed", *Row._fields])
    write_text(stem.with_suffix(".csv"), records.to_csv(index=False, lineterminator="\n"))
    tried = {"rates": rates, "trials": [list(trial) for trial in trials]} if trials else None
    write_json(stem.with_suffix(".json"), {"config": entry.model_dump(mode="json"), "tree": tree, "tuning": tried})
    seconds = sum(kept["seconds"] for kept in (tuned, *found.values()))
    device, file = choose_device("cpu"), origins_folder(entry.suite) / f"{entry.name}.json"
    write_json(file, first_origin(file, {"result": sha256(stem.with_suffix(".csv")), **origin(device, seconds)}))
    shutil.rmtree(workspace)


def _once(kept: Path, make: Callable[[], list[list[Any]]]) -> dict[str, Any]:
    """What was made, and in how many seconds; a call that was killed later finds it."""
    if not kept.exists():
        start = time.perf_counter()
        made = make()
        write_json(kept, {"made": made, "seconds": time.perf_counter() - start})
    found: dict[str, Any] = read_json(kept, f"remove {kept.parent} and run again")
    return found


def _checked(key: str, seed: int, row: Row) -> list[Any]:
    if not math.isfinite(row.value):
        raise DGRError(
            f"{key}, seed {seed}: {row.measure} of {row.method} ({row.setting}, level {row.level:g}) is {row.value}; "
            "lower the learning rates in its file."
        )
    return [*row[:-1], round(row.value, 10)]
