"""Times and logs as lines to read."""

from __future__ import annotations

from collections import deque
from pathlib import Path

LOG_LINES = 30
"""How much of a failed step's log is shown."""


def duration(seconds: float) -> str:
    """Such as ``41 s``, ``3 min 20 s`` or ``1 h 12 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def rough(seconds: float) -> str:
    """The same without false precision, of a minute and more."""
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def log_end(path: Path) -> str:
    """The last lines of a step's log, and where all of it is."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = deque((line.rstrip("\n") for line in file), maxlen=LOG_LINES)
    except OSError:
        return f"    it left no log at {path}"
    return "\n".join([f"    the end of {path}:", *(f"    | {line}" for line in lines)])
