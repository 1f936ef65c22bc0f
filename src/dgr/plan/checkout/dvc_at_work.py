"""What DVC's own list of readers and writers says: who is at work, and which entries are of processes that are gone."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import localtime, strftime
from typing import Any

from dgr.core.files import write_text
from dgr.plan.checkout.at_work import Worker
from dgr.plan.checkout.leftovers import TEMPORARY

LIST, GUARD, REPOSITORY = TEMPORARY / "rwlock", TEMPORARY / "rwlock.lock", TEMPORARY / "lock"
"""Who reads and writes which paths; what is locked while that list is edited; what DVC locks while it works."""
_PROGRAM = re.compile(r"^\S*/dvc(/__main__\.py)?(?= |$)")


def users() -> list[tuple[str, Worker]]:
    """Paths that processes of DVC are reading or writing now, and who they are."""
    try:
        entries = json.loads(LIST.read_text(encoding="utf-8"))
        changed = LIST.stat().st_mtime
        held = [*entries.get("write", {}).items()]
        held += [(path, info) for path, infos in entries.get("read", {}).items() for info in infos]
    except (OSError, ValueError, AttributeError):
        return []
    return [
        (path, Worker(info["pid"], _PROGRAM.sub("dvc", info["cmd"]), _since(info["pid"])))
        for path, info in held
        if _made_it(info["pid"], changed)
    ]


def user_of(keys: Sequence[str]) -> Worker | None:
    """The process of DVC that reads or writes what a stage makes: a folder or file with the name of one of its keys."""
    for path, worker in users():
        if {Path(path).name, Path(path).stem} & set(keys):
            return worker
    return None


def mend_list() -> None:
    """Remove entries of processes that have ended, which DVC would take for others with their numbers.

    A list that a killed process has written half of goes as a whole: DVC refuses to read it.
    """
    with _locked(GUARD) as free:
        if not free or not LIST.exists():  # who edits it removes what is in the way by himself
            return
        try:
            known = json.loads(LIST.read_text(encoding="utf-8"))
            kept = _living(known, LIST.stat().st_mtime)
        except (ValueError, KeyError, TypeError, AttributeError):
            LIST.unlink()
            return
        if kept != known:
            write_text(LIST, json.dumps(kept))


def _living(known: dict[str, Any], changed: float) -> dict[str, Any]:
    write = {path: info for path, info in known.get("write", {}).items() if _made_it(info["pid"], changed)}
    read = {
        path: living
        for path, infos in known.get("read", {}).items()
        if (living := [info for info in infos if _made_it(info["pid"], changed)])
    }
    return {name: block for name, block in (("write", write), ("read", read)) if block}


@contextmanager
def dvc_is_idle() -> Iterator[bool]:
    """Whether no process of DVC is at work; while this holds and is true, none begins."""
    with _locked(REPOSITORY) as free:
        yield free and not users()


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether a file could be locked, as DVC does it."""
    if not path.parent.is_dir():  # DVC has never been here
        yield False
        return
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _made_it(process: int, changed: float) -> bool:
    """Whether a process lives and began before the list was last changed; a later one only has the same number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    begun = _begun(process)
    return begun is None or begun <= changed + 1


def _begun(process: int) -> float | None:
    """When a process began, in seconds since 1970; None where the system does not say, or it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        lines = Path("/proc/stat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    (boot,) = (int(line.split()[1]) for line in lines if line.startswith("btime"))
    return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _since(process: int) -> str | None:
    begun = _begun(process)
    return None if begun is None else strftime("%d %b %H:%M:%S", localtime(begun))
