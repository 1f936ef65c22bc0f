"""What pieces of a suite that was cut on a GPU show so far: FOLDER/finished.md, for readers; no claim is decided by it.

    python benchmarks/gpu_finished.py FOLDER

Run from the repository's top folder, on the plan that the pieces were made with. FOLDER is what
`benchmarks/gpu_session.py` left. Trainings: test accuracy at the last epoch. Tunings that were cut: accuracy on
validation, mean over tasks, by strength. One number a seed, since seeds are few and one may have collapsed.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import mean

import pandas as pd
from gpu_session import PARTIAL, TUNED_IN_PART, plan_file

from dgr.core.files import write_text
from dgr.core.provenance import config_hash
from dgr.training.choice import Setting

SUITE = "faces_gpu"
NAMES = ["Model", "Method", "Regularizer"]
NONE = "–"


def percent(values: Iterable[float]) -> str:
    return ", ".join(f"{100 * value:.1f}" for value in values) or NONE


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    return str(pd.DataFrame(rows, columns=[*NAMES, *heads]).to_markdown(index=False, disable_numparse=True))


def trainings(folder: Path, runs: dict) -> Iterator[list[str]]:
    """A row for each run that has finished seeds, whole or cut."""
    for key, run in runs.items():
        files = [*folder.glob(f"runs/*/train/{key}/seed-*/metrics.json")]
        files = files or [*(folder / PARTIAL).glob(f"train/unfinished/{key}-*/result/seed-*/metrics.json")]
        if found := [json.loads(file.read_text(encoding="utf-8"))["final"]["test"] for file in sorted(files)]:
            yield [*names(run), *(percent(seed[task]["accuracy"] for seed in found) for task in found[0])]


def tunings(folder: Path, plan: dict) -> Iterator[list[str]]:
    """A row for each tuning that has finished trainings, with the seeds' values of each strength."""
    for key, tuning in plan["tuning"].items():
        cells = []
        for strength in tuning["strengths"]:
            digest = config_hash(Setting(tuning["run"]["training"]["learning_rate"], strength))[:16]
            files = sorted((folder / TUNED_IN_PART).glob(f"unfinished/{key}-*/{digest}-*.json"))
            scores = [json.loads(file.read_text(encoding="utf-8"))["val"].values() for file in files]
            cells.append(percent(mean(task["accuracy"] for task in seed) for seed in scores))
        if set(cells) != {NONE}:
            yield [*names(tuning["run"]), *cells]


def names(run: dict) -> list[str]:
    return [run["architecture"]["name"], run["method"]["name"], run["regularizer"]["name"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    plan = json.loads(plan_file(SUITE).read_text(encoding="utf-8"))
    strengths = [f"β = {strength:g}" for strength in next(iter(plan["tuning"].values()))["strengths"]]
    parts = [
        "Trainings: test accuracy in percent, one number a seed.",
        table(["age", "gender", "race"], trainings(folder, plan["runs"] | plan["tuned_runs"])),
        "Tunings that were cut: validation accuracy in percent, mean over tasks, one number a seed.",
        table(strengths, tunings(folder, plan)),
    ]
    write_text(folder / "finished.md", "\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
