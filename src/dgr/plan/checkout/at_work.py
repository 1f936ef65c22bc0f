"""Who is at work in this checkout: a locked file each, which says who and since when.

The kernel gives a lock back when its process ends, however that ends, so that nobody has to remove one. Only Python's
own library is needed.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

LOCKS = Path(".locks")
ENGINE = "engine"
"""The lock of Snakemake, of which one is at work in a checkout at a time."""
_ANYONE = "anyone"
"""What each stage holds together with others, and nobody while leftovers are removed."""
UNDER_DVC = "DVC_STAGE"
"""The environment variable that DVC sets for the commands that it runs."""
WAIT = 0.3
"""Seconds between two looks whether something is free."""


class Worker(NamedTuple):
    """A process that holds something."""

    process: int
    command: str
    since: str | None

    def __str__(self) -> str:
        since = f", since {self.since}" if self.since else ""
        return f"process {self.process} (`{self.command}`){since}"


def take(name: str, command: Sequence[str], root: Path = Path()) -> IO[str] | Worker:
    """Lock a name for this process, unless another one has it.

    Args:
        name: of what may be done by one process at a time.
        command: what this process does, for others to read.
        root: the checkout.

    Returns:
        The locked file, for :func:`release`; or who has it.
    """
    folder = root / LOCKS
    folder.mkdir(exist_ok=True)
    path = folder / f"{name.replace('/', '_')}.lock"
    while True:
        file = path.open("a+", encoding="utf-8")
        if not _lock(file, fcntl.LOCK_EX):
            file.close()
            return holder(path) or Worker(0, "which has just come", None)
        if _is_at(file, path):
            break
        file.close()  # whoever had it has removed it
    file.truncate(0)
    where = {"process": os.getpid(), "machine": platform.node()}
    file.write(json.dumps({**where, "command": shlex.join(command), "since": time.strftime("%d %b %H:%M:%S")}))
    file.flush()
    return file


def release(file: IO[str]) -> None:
    """Give a lock back; its file goes."""
    Path(file.name).unlink(missing_ok=True)
    file.close()


def holder(path: Path) -> Worker | None:
    """Who a lock's file names; None where it names nobody."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        elsewhere = "" if held["machine"] == platform.node() else f" on {held['machine']}"
        return Worker(held["process"], held["command"] + elsewhere, held["since"])
    except (OSError, ValueError, KeyError):
        return None


def stages_at_work(root: Path = Path()) -> list[Worker]:
    """Who holds a stage in a checkout now."""
    found = []
    for path in sorted((root / LOCKS).glob("*@*.lock")):
        with suppress(OSError), path.open(encoding="utf-8") as file:
            if not _lock(file, fcntl.LOCK_EX):
                found.append(holder(path))
    return [worker for worker in found if worker]


@contextmanager
def shared() -> Iterator[None]:
    """While this holds, :func:`alone` is false for everybody else."""
    LOCKS.mkdir(exist_ok=True)
    with (LOCKS / _ANYONE).open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def alone() -> Iterator[bool]:
    """Whether no stage is at work here; while this holds and is true, none begins."""
    LOCKS.mkdir(exist_ok=True)
    with (LOCKS / _ANYONE).open("a", encoding="utf-8") as file:
        yield _lock(file, fcntl.LOCK_EX)


def wait_for(name: str, command: Sequence[str]) -> IO[str]:
    """As :func:`take`, but wait while another process has it, and say once for whom."""
    told = False
    while isinstance(found := take(name, command), Worker):
        told = told or say_that_it_waits(found)
        time.sleep(WAIT)
    return found


def say_that_it_waits(worker: Worker) -> bool:
    """Print who is waited for; gives True."""
    print(f"dgr: waiting for {worker}; this goes on when that has ended.", file=sys.stderr, flush=True)
    return True


def _lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
