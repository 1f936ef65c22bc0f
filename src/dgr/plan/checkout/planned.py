"""Whether a suite's plan was current with all files as they are now: then it need not be made again to compare."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dgr.core.paths import CONFIGS, HASHES, PLAN, SHARED, STAGES, suite_folder

_PACKAGE = Path(__file__).parents[2]
_PLACE = Path(".snakemake/planned")
"""With the engine's records, so that it goes with them."""


def plan_state(suite: str) -> str:
    """Hexadecimal SHA-256 of all that the comparison of a suite's plan reads: configuration, plans, this package.

    Args:
        suite: ``shared`` for the data sets' plan alone.
    """
    own = {folder / name.name for folder in (suite_folder(suite), SHARED) for name in (PLAN, HASHES, STAGES)}
    digest = hashlib.sha256()
    for path in (*_files(own | {STAGES}), *_files(CONFIGS.rglob("*")), *_files(_PACKAGE.rglob("*.py"))):
        content = path.read_bytes()
        digest.update(f"{path} {len(content)} ".encode() + content)
    return digest.hexdigest()


def is_noted(suite: str, state: str) -> bool:
    """Whether the plan was current in this state."""
    try:
        return (_PLACE / suite).read_text(encoding="utf-8") == state
    except (OSError, ValueError):
        return False


def note(suite: str, state: str) -> None:
    """Note that the plan is current in this state; where nothing can be written it is asked again next time."""
    with suppress(OSError):
        _PLACE.mkdir(parents=True, exist_ok=True)
        (_PLACE / suite).write_text(state, encoding="utf-8")


def _files(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.is_file())
