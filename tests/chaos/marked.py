"""The processes of one command: each inherits a mark in its environment, also a fork and an orphan."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

MARK = "DGR_CHAOS"
"""The environment variable that says to which command a process belongs."""


def marked(mark: str) -> dict[int, str]:
    """Living processes with a mark, and what each does."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            belongs = wanted in (place / "environ").read_bytes().split(b"\0")
            words = (place / "cmdline").read_bytes().split(b"\0") if belongs else []
        except OSError:  # it has just ended, or is somebody else's
            continue
        if words:
            found[int(place.name)] = b" ".join(words).decode(errors="replace").strip()
    return {process: does for process, does in found.items() if does}  # one that has ended does nothing


def processes_of(role: str, root: Path, mark: str) -> list[int]:
    """Processes that play a part now.

    Args:
        role: ``stage`` and ``engine`` by the project's own locks, ``dvc`` by DVC's list, or ``all``.
        root: the checkout.
        mark: whose; others are left alone.
    """
    mine = marked(mark)
    if role == "all":
        return list(mine)
    if role == "dvc":
        return sorted(_in_list(root) & mine.keys())
    locks = (root / ".locks").glob({"stage": "*@*.lock", "engine": "engine.lock"}[role])
    named = {_of_lock(path) for path in locks if not path.name.startswith("dvc@")}  # which whoever calls DVC holds
    return sorted(named & mine.keys())


def send(processes: Iterable[int], number: signal.Signals) -> int:
    """Send a signal, and tell how many got it."""
    got = 0
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue
        got += 1
    return got


def gone(mark: str, seconds: float) -> bool:
    """Whether all processes with a mark end in some time."""
    end = time.monotonic() + seconds
    while marked(mark):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def end_all(mark: str) -> Mapping[int, str]:
    """Kill whatever is left with a mark; gives what it was."""
    left = marked(mark)
    while still := marked(mark):
        send(still, signal.SIGKILL)
        time.sleep(0.05)
    return left


def _of_lock(path: Path) -> int:
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["process"])
    except (OSError, ValueError, KeyError):
        return 0


def _in_list(root: Path) -> set[int]:
    try:
        entries = json.loads((root / ".dvc/tmp/rwlock").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    readers = [info for infos in entries.get("read", {}).values() for info in infos]
    return {info["pid"] for info in (*entries.get("write", {}).values(), *readers)}
