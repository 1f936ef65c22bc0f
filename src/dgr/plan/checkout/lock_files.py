"""``dvc.lock`` after a kill: DVC writes it in place, so that a killed DVC leaves the first part of it."""

from __future__ import annotations

import filecmp
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.core.origin import committed
from dgr.core.paths import STAGES, SUITES
from dgr.plan.locks import LOCK_NAME, described_stages, lock_stages

_COPIES = Path(".snakemake/good_locks")
_LOADER, _DUMPER = (getattr(yaml, f"CSafe{kind}", getattr(yaml, f"Safe{kind}")) for kind in ("Loader", "Dumper"))
_HASH = re.compile(r"[0-9a-f]{32}(\.dir)?")


def mend_lock_files() -> Iterator[str]:
    """Complete each lock that was cut off, and keep a copy of each that is whole.

    What a cut lock still has is kept, but for its last stage. The rest is taken from the last whole copy or the last
    commit, and DVC runs what is then missing or out of date. Nobody may be writing meanwhile.

    Yields:
        A sentence for each that was cut off.
    """
    for path in filter(Path.exists, (Path(LOCK_NAME), *sorted(SUITES.glob(f"*/{LOCK_NAME}")))):
        copy = _COPIES / path
        if copy.exists() and filecmp.cmp(path, copy, shallow=False):
            continue
        if _is_whole(path):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
            continue
        left = _stages(path.read_text(encoding="utf-8", errors="replace"))
        known = _whole(committed(path) or "") | _whole(copy.read_text(encoding="utf-8") if copy.exists() else "")
        text = yaml.dump({"schema": "2.0", "stages": known | left}, Dumper=_DUMPER, sort_keys=False)
        write_text(path, text)
        yield (
            f"{path} was cut off when DVC was killed: {len(left)} of its stages are left, {len(known.keys() - left)} "
            "are taken from an earlier copy, and what has changed since is made again."
        )


def _is_whole(path: Path) -> bool:
    try:
        stages = lock_stages(path)
    except ValueError:
        return False
    ends = path.read_text(encoding="utf-8").endswith("\n") and _is_last_whole(path, stages)
    return ends and all(map(_is_complete, stages.values()))


def _is_last_whole(path: Path, stages: dict[str, Any]) -> bool:
    """Whether the last stage has all its outputs: cut off between two lines, a lock still is one that DVC reads."""
    if not stages:
        return True
    name, entry = list(stages.items())[-1]
    try:
        described = described_stages(path.with_name(STAGES.name))[name.partition("@")[0]]
        outputs = len(described.get("do", described)["outs"])
    except (DGRError, AttributeError, KeyError, TypeError):  # it is no stage any more, or DVC tells what is wrong
        outputs = 1
    *_, last = entry.get("outs") or [{}]
    ends_with = "nfiles" if str(last.get("md5")).endswith(".dir") else "size"
    return len(entry.get("outs", [])) >= outputs and ends_with in last


def _whole(text: str) -> dict[str, Any]:
    return _stages(f"{text}\n  end:")


def _stages(text: str) -> dict[str, Any]:
    """The complete stages of a lock's first part, without the last one, of which nobody knows whether it is whole."""
    found: dict[str, Any] = {}
    for block in re.split(r"\n(?=  \S)", text.partition("\nstages:")[2])[:-1]:
        try:
            read = yaml.load(block + "\n", _LOADER)
        except yaml.YAMLError:
            continue
        if isinstance(read, dict):
            found |= {name: entry for name, entry in read.items() if _is_complete(entry)}
    return found


def _is_complete(entry: Any) -> bool:
    """Whether a stage has all that DVC writes of it, its outputs last."""
    try:
        files = [*entry.get("deps", []), *entry.get("outs", ())]
        return bool(entry["cmd"]) and all(_HASH.fullmatch(file["md5"]) and file["path"] for file in files)
    except (AttributeError, KeyError, TypeError):
        return False
