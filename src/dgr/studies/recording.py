"""What a study found, seed by seed, as one committed file; and who made it first."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from tqdm import tqdm

from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.files import read_json, sha256, write_json, write_text
from dgr.core.origin import first_origin, origin
from dgr.core.paths import UNFINISHED, origins_folder, records_folder
from dgr.core.provenance import code_hash, config_hash
from dgr.studies.row import Row
from dgr.studies.tuned_rates import Trial, chosen_rates


class Recorded(Protocol):
    """What the stage of any study is told by its plan."""

    suite: str
    name: str
    seeds: list[int]

    def model_dump(self, *, mode: str, exclude: set[str] | None = None) -> dict[str, Any]:
        """All of it, as JSON has it."""
        ...


def record_study(
    key: str,
    entry: Recorded,
    trials_of: Callable[[], list[Trial]],
    rows_of: Callable[[int, Mapping[str, float]], Iterable[Row]],
    data: Mapping[str, str] | None = None,
) -> None:
    """Choose the learning rates, run every seed, write the records.

    Written: ``results/SUITE/records/NAME.csv``, one row a number, ``NAME.json``, the settings and the learning rates
    that were tried and chosen, and ``results/SUITE/origins/NAME.json``, who made these numbers first. Studies are small
    and run on the CPU, with one thread.

    Args:
        key: of the study.
        entry: its settings.
        trials_of: makes what is tried on tuning seeds before.
        rows_of: makes what one seed finds with the chosen learning rates.
        data: what names the data that it reads, for its settings' hash and ``NAME.json``.

    Raises:
        DGRError: a number that is not finite, unwritable folder.
    """
    device, data = choose_device("cpu"), data or {}
    settings = {"config": entry.model_dump(mode="json", exclude={"seeds"}), "code": code_hash(), **data}
    workspace = UNFINISHED / f"{key}-{config_hash(settings)[:16]}"
    tuned = _once(workspace / "tuning.json", lambda: [list(trial) for trial in trials_of()])
    trials = [Trial(*trial) for trial in tuned["made"]]
    rates = chosen_rates(trials)
    found = {}
    for seed in tqdm(entry.seeds, desc=key, unit="seed", leave=False, disable=None):

        def made(seed: int = seed) -> list[list[Any]]:
            return [_checked(key, seed, row) for row in rows_of(seed, rates)]

        found[seed] = _once(workspace / f"{seed}.json", made)
    listed = [[seed, *row] for seed, kept in found.items() for row in kept["made"]]
    records = pd.DataFrame(listed, columns=["seed", *Row._fields])
    seconds = sum(kept["seconds"] for kept in (tuned, *found.values()))
    stem = records_folder(entry.suite) / entry.name
    write_text(stem.with_suffix(".csv"), records.to_csv(index=False, lineterminator="\n"))
    tried = {"rates": rates, "trials": [list(trial) for trial in trials]} if trials else None
    write_json(stem.with_suffix(".json"), {"config": entry.model_dump(mode="json"), **data, "tuning": tried})
    place = origins_folder(entry.suite) / f"{entry.name}.json"
    write_json(place, first_origin(place, {"result": sha256(stem.with_suffix(".csv")), **origin(device, seconds)}))
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
            "lower the learning rate in its file."
        )
    return [*row[:-1], round(row.value, 10)]
