"""Each kind of artefact, and five kinds of damage: whether it is noticed by who reads it, named, and mended as told."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

from verified_support import SUITE

from dgr.__main__ import main
from dgr.core import paths
from dgr.plan.graph import suite_stages
from dgr.training import stages as training
from dgr.verification.locked_files import check_lock

PREFIX = "mini-multimnist-conv"
PLAIN, TUNED = f"{PREFIX}-equal_weighting-none", f"{PREFIX}-equal_weighting-dgr"
RUN, WEIGHTS = f"runs/mini/train/{PLAIN}", f"trained/mini/{PLAIN}"


class Kind(NamedTuple):
    """A kind of artefact.

    Attributes:
        path: of one of them.
        reader: the command that reads it next.
        other: another one of that kind, or of another.
    """

    path: str
    reader: tuple[str, ...]
    other: str


KINDS = {
    "array of a data set": Kind("data/multimnist/seed-0/train_left.npy", ("train", PLAIN), "seed-1/train_left.npy"),
    "manifest of a data set": Kind("data/multimnist/manifest.json", ("train", PLAIN), f"{RUN}/manifest.json"),
    "metrics of a run": Kind(f"{RUN}/seed-0/metrics.json", ("collect", SUITE), f"{RUN}/seed-1/metrics.json"),
    "history of a run": Kind(f"{RUN}/seed-0/history.csv", ("collect", SUITE), f"{RUN}/seed-1/history.csv"),
    "manifest of a run": Kind(f"{RUN}/manifest.json", ("collect", SUITE), f"runs/mini/train/{TUNED}/manifest.json"),
    "representation": Kind(f"{WEIGHTS}/seed-0.npz", ("probe", PLAIN), f"{WEIGHTS}/seed-1.npz"),
    "weights": Kind(f"{WEIGHTS}/seed-0.pt", ("probe", PLAIN), f"{WEIGHTS}/seed-1.pt"),
    "checkpoint of an unfinished run": Kind("unfinished", ("train", PLAIN), f"{WEIGHTS}/seed-1.pt"),
    "tuning record": Kind(f"results/mini/tuning/{TUNED}.json", ("train", TUNED), f"runs/mini/probe/{PLAIN}.json"),
    "measurement": Kind(f"runs/mini/probe/{PLAIN}.json", ("collect", SUITE), f"results/mini/tuning/{TUNED}.json"),
    "plan": Kind("plan.json", ("plan", "--check"), "suites/shared/plan.json"),
    "records": Kind("results/mini/records/runs.csv", ("table", SUITE, "T1"), "results/mini/records/probes.csv"),
    "table": Kind("results/mini/tables/T1.csv", (), "results/mini/records/runs.csv"),
    "page": Kind("results/mini/audit.html", (), "results/mini/tables/T1.csv"),
}


def truncated(path: Path, _: Path) -> None:
    """Its first half."""
    _write(path, path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path, _: Path) -> None:
    """One bit: in a manifest that of a hash, elsewhere in the middle."""
    content = bytearray(path.read_bytes())
    hashed = re.search(rb'"[0-9a-f]{64}"', content) if path.name == "manifest.json" else None
    place = hashed.start() + 5 if hashed else len(content) // 2
    content[place] ^= 1
    _write(path, bytes(content))


def emptied(path: Path, _: Path) -> None:
    """Nothing is left in it."""
    _write(path, b"")


def removed(path: Path, _: Path) -> None:
    """It is gone."""
    path.unlink()


def replaced(path: Path, other: Path) -> None:
    """By another one."""
    _write(path, other.read_bytes())


DAMAGES: dict[str, Callable[[Path, Path], None]] = {
    each.__name__: each for each in (truncated, flipped, emptied, removed, replaced)
}
NO_DAMAGE = {("checkpoint of an unfinished run", "removed")}
"""Without a checkpoint a run begins anew, as it is meant to."""


def cases() -> Iterator[tuple[str, str]]:
    """Every kind with every damage."""
    return ((kind, damage) for kind in KINDS for damage in DAMAGES if (kind, damage) not in NO_DAMAGE)


def tried(kind: str, damage: str, base: Path, root: Path) -> str:
    """Damage one artefact in a copy, let it be read, do what the message says; gives who noticed.

    Args:
        base: a checkout with one of each kind, as :func:`verified_support.make_verified` makes it.

    Raises:
        AssertionError: nobody noticed, the message does not name it, or what it says does not mend it.
    """
    shutil.copytree(base, root, copy_function=os.link)
    with chdir(root):
        path, reader, other = KINDS[kind]
        place = _unfinished() if path == "unfinished" else Path(path)
        before = {each: each.read_bytes() for each in (place,) if path != "unfinished"}
        DAMAGES[damage](place, place.parents[1] / other if other.startswith("seed-") else Path(other))
        message, by = _notice(reader)
        assert message, f"nobody notices that {place} is {damage}"
        named = {str(place), place.name, str(place.parent)}
        assert any(name in message for name in named), f"{place} is not named: {message}"
        _mend(message, place)
        after, _ = _notice(reader)
        assert not after, f"still wrong: {after}"
        assert all(each.read_bytes() == content for each, content in before.items()), f"{place} is another than before"
        return by


def _notice(reader: tuple[str, ...]) -> tuple[str, str]:
    """The sentence of the command that reads it or, where that takes it as it is, of the comparison with the lock."""
    message = run(*reader) if reader else ""
    if message:
        return message, f"dgr {reader[0]}"
    problems = check_lock(SUITE).problems
    return (problems[0], "dgr verify") if problems else ("", "")


def _mend(message: str, place: Path) -> None:
    """Do what a message says: a command in backticks, or to move a file away."""
    if "move it away" in message:
        place.unlink()
        return
    command = re.search(r"`(?:python -m dgr|dvc repro) ([^`]+)`", message)
    assert command, f"no way out: {message}"
    if f"`dvc repro {command[1]}`" in message:
        stage, _, key = command[1].partition("@")
        known = suite_stages(SUITE)[stage]
        words = _command(known.filled(known.definition["cmd"], key))
    else:
        words = command[1]
    failed = run(*words.split())
    assert not failed, f"the way out fails: {failed}"


def run(*arguments: str) -> str:
    """Call the command line; gives its sentence, or nothing."""
    before, sys.argv = sys.argv, ["dgr", *arguments]
    try:
        main()
    except SystemExit as end:
        return "" if end.code in (None, 0) else str(end.code)
    finally:
        sys.argv = before
    return ""


def _unfinished() -> Path:
    """A checkpoint of a run that was killed."""
    shutil.rmtree(RUN)
    write, training.write_records = training.write_records, _killed
    try:
        training.train(PLAIN, "cpu")
    except KeyboardInterrupt:
        pass
    finally:
        training.write_records = write
    (path,) = paths.UNFINISHED.glob("*/seed-0.pt")
    return path


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def _command(words: str) -> str:
    return words.removeprefix("python -m dgr ")


def _write(path: Path, content: bytes) -> None:
    path.unlink()  # a link, of which others are not to change
    path.write_bytes(content)
