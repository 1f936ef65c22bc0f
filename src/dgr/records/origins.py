"""Who made the runs of a suite first, ``results/SUITE/origins/runs.csv``: commit, machine, versions, time.

A row belongs to a result. Where the last commit has a row of the same result it stays, so that a reproduction which
gives the same bits leaves the file as it is.
"""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.core.origin import committed
from dgr.core.paths import origins_folder
from dgr.records.csv_files import read_frame
from dgr.records.rows import CsvRow

ORIGIN_COLUMNS = ["key", "seed", "result", "commit", "dirty", "device", "numerics", "threads", "wall_seconds"]
ORIGIN_COLUMNS += ["peak_memory_mb", "median_epoch_seconds"]
ORIGIN_COLUMNS += ["version_torch", "version_torchjd", "version_numpy", "version_python"]
RESULT = ["key", "seed", "result"]


def write_origins(suite: str, rows: list[CsvRow], root: Path) -> None:
    """Write a suite's file.

    Args:
        suite: its name.
        rows: one a seed, with :data:`ORIGIN_COLUMNS`.
        root: the repository's top folder.
    """
    path = origins_folder(suite) / "runs.csv"
    made = pd.DataFrame(rows, columns=ORIGIN_COLUMNS)
    text = made.to_csv(index=False, lineterminator="\n")
    earlier = _texts(committed(path, root) or "")
    kept = {tuple(row[name] for name in RESULT): row for row in earlier.to_dict("records")}
    if kept:
        found = [kept.get(tuple(row[name] for name in RESULT), row) for row in _texts(text).to_dict("records")]
        text = pd.DataFrame(found, columns=ORIGIN_COLUMNS).to_csv(index=False, lineterminator="\n")
    write_text(root / path, text)


def read_origins(suite: str) -> pd.DataFrame:
    """A suite's file; no rows where there is none."""
    path = origins_folder(suite) / "runs.csv"
    if not path.exists():
        return pd.DataFrame(columns=ORIGIN_COLUMNS)
    frame = read_frame(path, remedy := f"make it with `python -m dgr collect {suite}`")
    if missing := set(ORIGIN_COLUMNS) - set(frame):
        raise DGRError(f"{path} lacks the columns {', '.join(sorted(missing))}; {remedy}.")
    return frame


def _texts(text: str) -> pd.DataFrame:
    """A file's cells as they are written; no rows where it is not such a file."""
    try:
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except ValueError:  # pandas' errors of parsing are ValueErrors
        frame = pd.DataFrame()
    return frame if list(frame) == ORIGIN_COLUMNS else pd.DataFrame(columns=ORIGIN_COLUMNS)
