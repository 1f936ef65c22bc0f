"""What the pipeline costs beside its computing: one suite made from nothing in a clone of the last commit.

python benchmarks/pipeline_cost.py [SUITE]    # takes as long as the suite; `mini` unless told
python benchmarks/pipeline_cost.py --of FILE  # only adds up what an earlier run with DGR_TIMES=FILE left

Computing is the processor time of the commands (`python -m dgr …`) in their forks. The rest of wall time × cores is
what engines and DVC take beside it, and the time in which a core has nothing to do.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    if sys.argv[1:2] == ["--of"]:
        show(Path(sys.argv[2]), None)
        return
    suite = sys.argv[1] if len(sys.argv) > 1 else "mini"
    with tempfile.TemporaryDirectory(prefix="dgr-cost-") as folder:
        clone, times = Path(folder, "clone"), Path(folder, "times.csv")
        subprocess.run(("git", "clone", "--quiet", str(ROOT), str(clone)), check=True)
        for lock in (clone / "dvc.lock", *clone.glob("suites/*/dvc.lock")):
            lock.unlink()
        environment = os.environ | {"DGR_TIMES": str(times), "PYTHONPATH": str(clone / "src"), "OMP_NUM_THREADS": "1"}
        start = time.perf_counter()
        command = ("snakemake", "--cores", "all", "--quiet", "all", "--config", f"suite={suite}")
        subprocess.run(command, cwd=clone, env=environment, check=True)
        show(times, time.perf_counter() - start)


def show(times: Path, wall: float | None) -> None:
    seconds: dict[str, list[float]] = defaultdict(list)
    with times.open(encoding="utf-8", newline="") as file:
        for spent, module, arguments in csv.reader(file):
            seconds["DVC" if module == "dvc" else arguments.split()[0]].append(float(spent))
    computing = sum(sum(spent) for name, spent in seconds.items() if name != "DVC")
    for name, spent in sorted(seconds.items(), key=lambda item: -sum(item[1])):
        print(f"{name:14}{len(spent):5} × {sum(spent) / len(spent):7.2f} s = {sum(spent):8.1f} s")
    print(f"computing {computing:.0f} s, DVC {sum(seconds['DVC']):.0f} s")
    if wall is not None:
        cores = len(os.sched_getaffinity(0))
        print(f"wall {wall:.0f} s on {cores} cores = {wall * cores / computing:.2f} × computing / cores")


if __name__ == "__main__":
    main()
