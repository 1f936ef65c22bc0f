"""Two commands beside each other in one checkout: one waits or is refused, and a plain run is green afterwards."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

from kills import COMMANDS
from marked import end_all, gone, marked
from trial_project import differences, environment, stages, state, undo

RUN = "mini-multimnist-conv-single_task-none"
TRAIN = ("python", "-m", "dgr", "train", RUN)
REPRO = ("dvc", "repro", "--single-item", f"train@{RUN}")
PLAIN = COMMANDS["snakemake"]
SCENARIOS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "`dgr train` of one run, twice": (TRAIN, TRAIN),
    "`dgr train` beside `dvc repro` of the run": (REPRO, TRAIN),
    "`dvc repro` beside `dgr train` of the run": (TRAIN, REPRO),
    "`snakemake` beside `snakemake`": (PLAIN, PLAIN),
    "`dgr reproduce` beside `snakemake`": (PLAIN, COMMANDS["dgr reproduce"]),
    "`snakemake` beside `dvc repro`": (REPRO, PLAIN),
    "another suite beside `snakemake`": (PLAIN, (*PLAIN, "--config", "suite=mini", "seeds=3,4")),
}
"""The first command, and the one that is started while that is at work."""
SAID = (
    r"waiting for process (\d+) \(`.+`\)",
    r"at work in this folder already: process (\d+) \(`.+`\), since",
    r"busy, it is being blocked by:\n\s+\(PID (\d+)\): \S+",
)
"""What the second says, ours or DVC's."""


def run_scenario(name: str, root: Path, wanted: dict[str, str], limit: float) -> list[str]:
    """Run two commands and then a plain one; gives what went wrong.

    Args:
        name: of :data:`SCENARIOS`.
        root: a checkout in which all is made.
        wanted: the state of it.
        limit: seconds that each command may take.
    """
    undo(root, [address for address in stages(root) if address.endswith(f":train@{RUN}")])
    mark, (one, two) = f"{time.time_ns()}", SCENARIOS[name]
    try:
        first = _start(one, root, mark)
        if not _at_work(root, first, limit):
            return [f"the first command did not come to its work: {first.communicate()[0][-400:]}"]
        second = _start(two, root, mark)
        said = second.communicate(timeout=limit)[0]
        first_said = first.communicate(timeout=limit)[0]
        wrong = (
            [] if any(re.search(pattern, said) for pattern in SAID) else [f"the second does not say for whom: {said}"]
        )
        wrong += [f"{word} printed a traceback" for word in ("Traceback",) if word in said + first_said]
        wrong += [f"the first failed: {first_said[-400:]}"] if first.returncode else []
        plain = _start(PLAIN, root, mark)
        told = plain.communicate(timeout=limit)[0]
        wrong += [f"the plain run failed: {told[-400:]}"] if plain.returncode else []
        wrong += [] if gone(mark, 10) else [f"still there: {marked(mark)}"]
        return wrong or differences(wanted, {path: it for path, it in state(root).items() if "mini-seeds" not in path})
    except subprocess.TimeoutExpired as error:
        return [f"{error.cmd} hangs: {marked(mark)}"]
    finally:
        end_all(mark)


def _start(words: tuple[str, ...], root: Path, mark: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words, cwd=root, env=environment(root, mark), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _at_work(root: Path, process: subprocess.Popen[str], limit: float) -> bool:
    """Wait until the run is being trained."""
    end = time.monotonic() + limit
    while time.monotonic() < end and process.poll() is None:
        if (root / f".locks/train@{RUN}.lock").exists():
            return True
        time.sleep(0.02)
    return False
