"""Temporary files and folders of processes that were killed; whoever removes them knows that nobody is at work."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from dgr.core.paths import DATA, FIGURES, RESULTS, RUNS, SUITES, TRAINED, UNFINISHED

_FILE = re.compile(r"\..+\.[a-z]+-[a-z0-9_]{8}")
"""What :func:`dgr.core.files.write_atomically` writes before it is renamed."""
_DATA_SET = re.compile(r"\..+-[a-z0-9_]{8}")
"""The folder that ``prepare`` fills, directly below ``data``."""
_DVCS = re.compile(r".*\.[A-Za-z0-9_-]{22}\.tmp")
_SNAKEMAKES = (".snakemake/tmp.*", ".snakemake/backups")
_CACHE, TEMPORARY = Path(".dvc/cache"), Path(".dvc/tmp")
_OLD_CACHE = "[0-9a-f][0-9a-f]"
"""Where DVC lists the files of an output that, by a lock that was cut off between two lines, an older DVC recorded."""


def remove_leftovers() -> None:
    """Remove what stages left in the folders they write to."""
    for place in (DATA, RUNS, TRAINED, RESULTS, FIGURES, SUITES, UNFINISHED):
        _remove(_below(place, _FILE))
    _remove(path for path in Path().iterdir() if path.is_file() and _FILE.fullmatch(path.name))
    _remove(path for path in DATA.glob(".*") if _DATA_SET.fullmatch(path.name))
    if UNFINISHED.is_dir():  # where a call was killed before it had written anything
        for path in UNFINISHED.iterdir():
            if path.is_dir() and not any(path.rglob("*")):
                path.rmdir()


def remove_unfinished(keys: Collection[str]) -> None:
    """Remove kept parts of work that is finished: begun with other code or settings, and never gone on with.

    Args:
        keys: of what is finished.
    """
    _remove(path for path in UNFINISHED.glob("*") if path.name.rpartition("-")[0] in keys)


def remove_leftovers_of_dvc() -> None:
    """Remove what DVC left in its cache and beside files that it restored."""
    _remove(TEMPORARY.glob(".rwlock-*"))
    _remove(_CACHE.glob(_OLD_CACHE))
    for place in (_CACHE, DATA, RUNS, TRAINED):
        _remove(_below(place, _DVCS))


def remove_leftovers_of_snakemake() -> None:
    """Remove locks, backups and temporary folders."""
    _remove(Path(".snakemake/locks").glob("*.lock"))
    for pattern in _SNAKEMAKES:
        _remove(Path().glob(pattern))


def _below(place: Path, name: re.Pattern[str]) -> Iterable[Path]:
    for folder, _, files in os.walk(place):
        yield from (Path(folder, file) for file in files if name.fullmatch(file))


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
