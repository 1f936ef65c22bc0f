"""How long the steps of a suite took when their committed results were made."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import fmean

from dgr.core.paths import origins_folder
from dgr.plan.graph import Stage
from dgr.plan.suites import Suite


def committed_seconds(suite: Suite, stages: Mapping[str, Stage]) -> dict[str, dict[str, float]]:
    """Wall seconds by stage and key: of trainings and studies, for nobody commits the time of other steps.

    A training's are those of its committed seeds, times its number of seeds over theirs. A file that is missing or
    damaged has no times: what they are for is not worth a refusal.

    Args:
        suite: whose ``results/SUITE/origins`` are read; of a quick look, the suite that it looks at.
        stages: of the suite.
    """
    folder = origins_folder(suite.of)
    by_run = _seconds_by_run(folder / "runs.csv")
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name in {"train", "train_tuned"} & set(stages):
        for key, entry in stages[name].entries.items():
            if seconds := by_run.get(suite.of + key.removeprefix(suite.name)):
                found[name][key] = fmean(seconds) * len(entry["seeds"])
    for key, entry in stages["study"].entries.items() if "study" in stages else ():
        with suppress(OSError, ValueError, KeyError, TypeError):
            made = json.loads((folder / f"{entry['name']}.json").read_text(encoding="utf-8"))
            found["study"][key] = float(made["wall_seconds"])
    return dict(found)


def _seconds_by_run(path: Path) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = defaultdict(list)
    with suppress(OSError, ValueError, KeyError, TypeError), path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            seconds[row["key"]].append(float(row["wall_seconds"]))
    return seconds
