"""The tiny suite in odd places, on tiny disks and on a cluster: the same bytes or one sentence; counts them.

    PYTHONPATH=tests/support:tests/chaos python tests/places/campaign.py ['umask 077' …]  # or `make places`

The folder of an installed environment, such as ../with-3.13/.venv, is a place too: another Python. Each place takes as
long as the tiny suite from nothing, about a minute on two idle cores. Places that are named replace their own rows of
docs/reliability.csv alone. Exit status 0: all was right; 1: something was not, which is told, and nothing is written.
"""

# ruff: noqa: E402
from __future__ import annotations

from dgr.core.numerics import make_portable

make_portable()  # as every command does, before anything below loads numpy

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from counts import read_rows, write_rows
from odd_places import PLACES, Place, make_place, possible
from slurm_cluster import WAY_IN, cluster, missing, run_on_slurm
from tiny_disk import can_mount, tiny_disk
from trial_project import LOCKS, differences, environment, make_small, stages, state

from dgr.core.errors import nearest

LIMIT = 3600.0
GIVES_UP = 120.0
"""Seconds of a processor after which a command on a full disk has to have ended."""
DISKS = {"a disk with no room": 3300, "a disk with 1 MB of room": 4200, "a disk with 2 MB of room": 5300}
DISKS |= {"a disk of 8 MB": 8000, "a disk of 20 MB": 20000}
"""Kilobytes of a disk on which the checkout takes 3,150."""
FULL = (" free", "No space left on device", "disk is full")
"""How we, DVC and its database say so."""
SAY_WHO = re.compile(r"origins|summaries|audit\.html|reproduction\.md|config\.local")
"""What is not compared: who made a result, when and in what time, and what tells DVC that there is no git."""
SLURM = "a cluster with SLURM, two nodes"


def main() -> int:
    """Go to all places, or to those that are named."""
    named = [_python(Path(name)) if (Path(name) / "bin/python").is_file() else name for name in sys.argv[1:]]
    every = [*PLACES, *DISKS, SLURM]
    asked = named or every
    if unknown := [name for name in asked if name not in every]:
        sys.exit(f"Unknown place '{unknown[0]}'{nearest(unknown[0], sorted(every))}")
    rows, wrong = [], 0
    with tempfile.TemporaryDirectory(prefix="dgr-places-") as folder:
        around = Path(folder)
        make_small(around / "made")
        _run(Place(), around / "made")
        wanted = _comparable(around / "made")
        for number, name in enumerate(asked):
            place = around / str(number)
            begin = time.monotonic()
            try:
                how, sentences = _tried(name, place, wanted)
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                how, sentences = "", [str(error)]
            print(f"{name}: {'; '.join(sentences[:5]) or how}", flush=True)
            wrong += bool(sentences)
            if how and not how.startswith("not tried"):
                values = {"what": name, "how": how, "tried": 1, "right": 1}
                rows.append(values | {"longest_seconds": round(time.monotonic() - begin, 1), "seed": ""})
            shutil.rmtree(place, ignore_errors=True)
    if wrong:
        print(f"In {wrong} places of {len(asked)} something went wrong, as told above; no counts were written.")
        return 1
    known = read_rows()
    kept = known[(known["campaign"] == "places") & ~known["what"].isin([row["what"] for row in rows])]
    write_rows("places", [*kept.drop(columns="campaign").to_dict("records"), *rows])
    print("In all of them the bytes were the same, or one sentence said why not.")
    return 0


def _python(environment: Path) -> str:
    """Make a place of an environment that was installed with another Python; gives its name."""
    ask = [environment / "bin/python", "-c", "import platform; print(platform.python_version())"]
    name = f"Python {subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()}"
    PLACES[name] = Place(environment={"PATH": f"{environment.resolve() / 'bin'}{os.pathsep}{os.environ['PATH']}"})
    return name


def _tried(name: str, around: Path, wanted: dict[str, str]) -> tuple[str, list[str]]:
    """How a place ended, and what was wrong there."""
    around.mkdir()
    if name == SLURM:
        return _on_slurm(around, wanted) if not missing() else (f"not tried: {WAY_IN}", [])
    if name in DISKS:
        return _on_disk(around, DISKS[name], wanted) if can_mount() else ("not tried: only root can mount a disk", [])
    place = PLACES[name]
    if not possible(place):
        return "not tried: this user or machine cannot make it", []
    root = make_place(place, around)
    done = _run(place, root, check=False)
    if place.says:
        return "one sentence", list(_sentence(done, place.says))
    logs = "".join(path.read_text(errors="replace")[-300:] for path in root.rglob("logs/**/*.log"))
    wrong = [f"it failed: {done.stdout[-800:]} {logs}"] if done.returncode else differences(wanted, _comparable(root))
    return "the same bytes", wrong


def _run(place: Place, root: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    own = environment(root, "places") | {name: value for name, value in place.environment.items() if value is not None}
    for name, value in place.environment.items():
        if value is None:
            own.pop(name, None)
    words = (*place.prefix, *place.command, "--cores", str(place.cores))
    done = subprocess.run(
        words,
        cwd=root,
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert not check or not done.returncode, done.stdout
    return done


def _comparable(root: Path) -> dict[str, str]:
    """Every file's hash, but of those that say who made a result and when; of locks, the hash of each path."""
    known = {name: entry for name, entry in state(root).items() if not SAY_WHO.search(name) and name not in LOCKS}
    for address, entry in stages(root).items():
        paths = [path for part in ("deps", "outs") for path in entry.get(part, [])]
        known |= {f"{address} {each['path']}": each["md5"] for each in paths if not SAY_WHO.search(each["path"])}
    return known


def _sentence(done: subprocess.CompletedProcess[str], *says: str) -> Iterator[str]:
    if not done.returncode:
        yield "it ended with 0"
    if not any(words in done.stdout for words in says):
        yield f"it does not say why: {done.stdout[-800:]}"
    if "Traceback" in done.stdout:
        yield "it printed a traceback"


def _on_disk(around: Path, kilobytes: int, wanted: dict[str, str]) -> tuple[str, list[str]]:
    """Where all has room, it is the same; elsewhere it gives up soon."""
    make_small(around / "full")
    with tiny_disk(around / "disk", kilobytes) as disk:
        root = disk / "c"
        shutil.copytree(
            around / "full", root, symlinks=True, ignore=shutil.ignore_patterns(".git", ".site", "__pycache__")
        )
        (root / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
        before = os.times()
        done = _run(Place(), root, check=False)
        after = os.times()
        if not done.returncode:
            return "the same bytes", differences(wanted, _comparable(root))
    taken = sum(after[2:4]) - sum(before[2:4])
    wrong = list(_sentence(done, *FULL))
    return "one sentence", wrong + ([f"it took {taken:.0f} s to give up"] if taken > GIVES_UP else [])


def _on_slurm(around: Path, wanted: dict[str, str]) -> tuple[str, list[str]]:
    root = around / "checkout"
    make_small(root)
    with cluster() as slurm:
        said, jobs = run_on_slurm(root, slurm)
    if not jobs:
        return "", [f"no job was submitted: {said[-800:]}"]
    failed = [f"{job['comment']} is {job['state']}" for job in jobs if job["state"] != "COMPLETED"]
    nodes = {job["node"] for job in jobs}
    idle = [] if len(nodes) == 2 else [f"only {nodes} worked"]
    return f"the same bytes, by {len(jobs)} jobs", failed + idle + (differences(wanted, _comparable(root)))


if __name__ == "__main__":
    sys.exit(main())
