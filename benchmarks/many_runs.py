"""What both engines take to see that nothing is to be done, in a suite of 2,000 runs: 50 cells of 40 seeds each.

python benchmarks/many_runs.py [SEEDS]

The runs are stand-ins that write small files: it is the engines that are timed.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from project_support import Project, make_project

METHODS = ("single_task", "equal_weighting", "dwa", "uncertainty_weighting", "graddrop", "pcgrad", "cagrad", "imtl")
METHODS += ("gradnorm", "random_weighting")
STAND_IN = '''
"""Stands in for training."""

from dgr.config.plan_file import plan_entry
from dgr.core.files import write_json, write_manifest
from dgr.core.paths import output_path, trained_folder


def train(key, device):
    entry = plan_entry(key, ("runs", "tuned_runs"))
    folder, trained = output_path(entry["suite"], "train", key), trained_folder(entry["suite"], key)
    for seed in entry["seeds"]:
        write_json(folder / f"seed-{seed}" / "metrics.json", {"key": key, "seed": seed})
        write_json(trained / f"seed-{seed}.json", {"key": key, "seed": seed})
    write_manifest(folder)
    write_manifest(trained)
'''


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory(prefix="dgr-many-") as folder:
        project = make_project(Path(folder))
        project.write("src/dgr/training/stages.py", STAND_IN)
        for other in ("T5", "T6"):
            (project.root / f"paper_configs/mini/{other}.yaml").unlink()
        project.configure(lambda table: fill(table, seeds))
        print(f"50 cells, {seeds} seeds each: {50 * seeds:,} runs")
        timed("snakemake, everything to be made", project, "snakemake", "--cores", "all", "--until", "train")
        timed("snakemake, nothing to be done", project, "snakemake", "--cores", "all", "--until", "train")
        timed("dvc repro, nothing to be done", project, "dvc", "repro", "train")
        timed("dvc status", project, "dvc", "status", "train")


def fill(table, seeds: int) -> None:
    table["seeds"] = list(range(seeds))
    table["methods"] = [{"name": name} for name in METHODS]
    table["regularizers"] = [
        {"use": {"name": "none"}},
        *({"use": {"name": name, "strength": 0.1}} for name in ("norm", "dgr", "weight_decay")),
        {"use": {"name": "dropout", "strength": 0.1}},
    ]
    for name in ("embedding", "probes", "snapshots"):
        table.pop(name, None)


def timed(what: str, project: Project, *command: str) -> None:
    start = time.perf_counter()
    project.run(*command)
    print(f"{what:34}{time.perf_counter() - start:6.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
