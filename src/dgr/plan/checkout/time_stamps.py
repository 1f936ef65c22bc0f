"""Files that are dated in the future: a clock was wrong, or they come from a machine whose clock is ahead.

Snakemake refuses to believe that what it has just made is older than what it was made from.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from dgr.core.errors import DGRError

TICK = 1.0
"""Seconds: what is written while the checkout is looked through is not from the future."""
_NOT_READ = {"site", "__pycache__", "logs"}
"""Folders that no stage reads, beside those whose names begin with a dot."""


def mend_time_stamps() -> Iterator[str]:
    """Date files of the checkout that are from the future to now; gives a sentence where there were any.

    Raises:
        DGRError: a file is somebody else's.
    """
    found: list[Path] = []
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders if name not in _NOT_READ and not name.startswith(".")]
        paths = (Path(folder, name) for name in files)
        found += [path for path in paths if _changed_at(path) > time.time() + TICK]
    try:
        for path in found:
            with contextlib.suppress(FileNotFoundError):  # somebody's temporary file
                os.utime(path)
    except OSError as error:
        raise DGRError(
            f"{path} is dated in the future, and that cannot be changed ({error.strerror}); "
            "set the clock, or let the file's owner `touch` it."
        ) from error
    if found:
        yield f"{len(found):,} files were dated in the future, such as {min(found)}; they are dated now instead."


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # a link that leads nowhere
        return 0.0
