"""Whether a file that was made anew is the committed one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from dgr.verification.findings import shortened

PICTURES = (".png", ".pdf", ".svg")
ROUNDING = 1e-9
"""Relative; of sums in another order on another processor."""


def differences(committed: Path, made: Path, exact: bool) -> Iterator[str]:
    """What a committed file is, in words, where it is not the one that was made.

    Args:
        committed: the file in the checkout.
        made: the same made anew; where there is none, that was told already.
        exact: whether bytes are expected to agree; without, numbers of CSV files may differ by :data:`ROUNDING` and
            pictures are not compared.
    """
    if not made.is_file():
        return
    if not committed.is_file():
        yield "is missing"
    elif committed.read_bytes() != made.read_bytes():
        if committed.suffix in PICTURES:
            if exact:
                yield "is another picture than the records give"
            return
        old, new = (path.read_text(encoding="utf-8", errors="replace").splitlines() for path in (committed, made))
        pairs = enumerate(zip(old, new, strict=False), start=1)
        lines = [number for number, pair in pairs if not _agree(*pair, exact or committed.suffix != ".csv")]
        if lines or len(old) != len(new):
            where = f" in line {shortened(lines)}" if lines else f": {len(old)} lines in place of {len(new)}"
            yield f"is not what the records give{where}"
        elif exact:
            yield "has other ends of lines than it is written with"


def _agree(one: str, other: str, exact: bool) -> bool:
    if one == other or exact:
        return one == other
    cells = one.split(","), other.split(",")
    return len(cells[0]) == len(cells[1]) and all(map(_close, *cells))


def _close(one: str, other: str) -> bool:
    try:
        return math.isclose(float(one), float(other), rel_tol=ROUNDING, abs_tol=ROUNDING)
    except ValueError:
        return one == other
