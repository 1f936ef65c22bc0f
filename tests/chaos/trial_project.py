"""A tiny suite that is made, of which stages can be made undone, and compared with how it was."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml
from project_support import ROOT, Project

from dgr.plan.graph import CHECK
from dgr.terminal.smoke import copy_small_project

LOCKS = ("dvc.lock", "suites/shared/dvc.lock")
NOT_COMPARED = (".git", ".snakemake", ".site", ".locks", "logs", "__pycache__", "origins")
"""Folders beside results: records of engines, who made a result when, and what is looked at by itself."""
NOT_WHOLE = {"reproduction.md"}
"""Says what a command found, and only one of the commands writes it."""


def make_small(root: Path) -> Project:
    """The tiny suite, planned, without what is never the same: times."""
    copy_small_project(ROOT, root)
    (root / "paper_configs/mini/T5.yaml").unlink()
    project = Project(root)
    project.run("git", "init", "--quiet")
    project.write(".git/info/exclude", "/.site/\n")
    project.plan()
    return project


def environment(root: Path, mark: str) -> dict[str, str]:
    """In which a command runs as a person runs it: no warm process but its own."""
    return {name: value for name, value in os.environ.items() if name not in ("DGR_WARM", "DVC_STAGE")} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root / "src"),
        "OMP_NUM_THREADS": "1",
        "DVC_SITE_CACHE_DIR": str(root / ".site"),
        "DGR_CHAOS": mark,
    }


def stages(root: Path) -> dict[str, dict[str, Any]]:
    """What both locks know but plans, by address: the lock's file, name there, and entry."""
    found = {}
    for file in LOCKS:
        if (root / file).exists():
            known = yaml.load((root / file).read_text(encoding="utf-8"), yaml.CSafeLoader)["stages"]
            made = {name: entry for name, entry in known.items() if name != CHECK}
            found |= {f"{file}:{name}": {"file": file, "name": name, **entry} for name, entry in made.items()}
    return found


def undo(root: Path, addresses: list[str]) -> None:
    """Remove what stages made, and every record of it in DVC, so that they run again."""
    known = stages(root)
    for address in addresses:
        for out in known[address].get("outs", []):
            path = root / out["path"].removeprefix("../../")
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for file in LOCKS:
        gone = {known[address]["name"] for address in addresses if known[address]["file"] == file}
        lock = yaml.load((root / file).read_text(encoding="utf-8"), yaml.CSafeLoader)
        lock["stages"] = {name: entry for name, entry in lock["stages"].items() if name not in gone}
        (root / file).write_text(yaml.safe_dump(lock, sort_keys=False), encoding="utf-8")
    shutil.rmtree(root / ".dvc/cache/runs", ignore_errors=True)


def state(root: Path) -> dict[str, str]:
    """Every file below a checkout and its hash; of locks, of what they say."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        parts = set(path.relative_to(root).parts)
        if not path.is_file() or parts & set(NOT_COMPARED) or name.startswith((".dvc/tmp", ".dvc/cache/runs")):
            continue
        if name not in NOT_WHOLE:
            found[name] = _lock_hash(path) if name in LOCKS else hashlib.sha256(path.read_bytes()).hexdigest()
    found |= {f".dvc/tmp/{path.name}": "" for path in (root / ".dvc/tmp").glob("*")}
    found[".dvc/tmp/rwlock entries"] = _entries(root / ".dvc/tmp/rwlock")
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Sentences on what is missing, left over, or another."""
    lines = [f"{name} is missing" for name in sorted(before.keys() - after.keys())]
    lines += [f"{name} is left over" for name in sorted(after.keys() - before.keys())]
    return lines + [
        f"{name} is another" for name in sorted(before.keys() & after.keys()) if before[name] != after[name]
    ]


def _lock_hash(path: Path) -> str:
    known = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _entries(path: Path) -> str:
    """Of the paths that DVC's list still has, none when nobody is at work."""
    if not path.exists():
        return "[]"
    entries = json.loads(path.read_text(encoding="utf-8"))
    return json.dumps(sorted([*entries.get("write", {}), *entries.get("read", {})]))
