"""What DVC keeps of a suite, as its ``dvc.lock`` names it, and whether files are that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dgr.core.errors import DGRError, nearest
from dgr.core.paths import CONFIGS, TRAINED
from dgr.plan.graph import Stage, suite_stages
from dgr.plan.locks import LOCK_NAME, lock_stages
from dgr.plan.suites import find_suites


class KeptOutput(NamedTuple):
    """A file or folder that a stage makes and DVC keeps.

    Attributes:
        stage: the stage, as DVC calls it.
        path: the output, from the repository's top folder.
        md5: DVC's hash of it; that of a folder ends in ``.dir``.
    """

    stage: str
    path: str
    md5: str

    @property
    def is_large(self) -> bool:
        """Whether it is weights and representations, which may be missing once all measurements are made."""
        return Path(self.path).is_relative_to(TRAINED)


def kept_outputs(suite: str) -> list[KeptOutput]:
    """All outputs of a suite, and of the data sets that it needs, which may be handed on and are not in git.

    Raises:
        DGRError: the suite is unknown, or a lock does not have one of its stages.
    """
    known = [each.name for each in find_suites(CONFIGS)]
    if suite not in known:
        raise DGRError(f"Unknown suite '{suite}'{nearest(suite, known)}")
    locks: dict[Path, dict[str, Any]] = {}
    found = []
    for stage in suite_stages(suite).values():
        lock = stage.file.with_name(LOCK_NAME)
        for key in stage.entries:
            for path in _kept_paths(stage, key):
                if lock not in locks:
                    locks[lock] = _read_lock(lock)
                found.append(KeptOutput(stage.address(key), path, _md5(locks[lock], lock, stage, key, path, suite)))
    return found


def output_md5(path: Path) -> str:
    """DVC's hash of a file or folder.

    A folder's is that of :func:`folder_listing`, and ``.dir``.
    """
    if path.is_dir():
        return listing_md5(folder_listing(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def folder_listing(folder: Path) -> bytes:
    """What DVC's cache keeps of a folder: JSON of each file's hash and relative path, by path."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    listing = [{"md5": output_md5(files[name]), "relpath": name} for name in sorted(files)]
    return json.dumps(listing, sort_keys=True).encode()


def listing_md5(listing: bytes) -> str:
    """DVC's hash of the folder that :func:`folder_listing` tells of."""
    return f"{hashlib.md5(listing, usedforsecurity=False).hexdigest()}.dir"


def _kept_paths(stage: Stage, key: str) -> Iterator[str]:
    """A stage's outputs but those in git and those that no licence lets go further."""
    outs = stage.definition.get("outs", [])
    for item, path in zip(outs, stage.fill(key, "outs"), strict=True):
        settings = next(iter(item.values())) if isinstance(item, dict) else {}
        if settings.get("cache", True) and settings.get("push", True):
            yield path


def _read_lock(path: Path) -> dict[str, Any]:
    try:
        return lock_stages(path)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DGRError(f"{path} is not a lock of DVC's ({error}); get it back with `git checkout {path}`.") from error


def _md5(locked: dict[str, Any], lock: Path, stage: Stage, key: str, path: str, suite: str) -> str:
    entry = locked.get(f"{stage.name}@{key}" if key else stage.name, {})
    for out in entry.get("outs", []):
        if out.get("path") == path and "md5" in out:
            return str(out["md5"])
    raise DGRError(
        f"{lock} does not say what {stage.address(key)} made ({path}); run `snakemake --cores all --config "
        f"suite={suite}` first."
    )
