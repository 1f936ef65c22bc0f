"""Which record files are compared, and what tells their rows apart: the one list of them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dgr.core.errors import DGRError
from dgr.core.paths import origins_folder, records_folder
from dgr.records.csv_files import read_frame
from dgr.records.run_folders import IDENTITY
from dgr.records.study_records import STUDY_CELL

POINT = ["suite", "sweep", "settings", "seed"]
NAMING_COLUMNS = {
    "provenance": ["key", *IDENTITY],
    "runs": [*IDENTITY, "task", "split", "metric", "moment"],
    "histories": [*IDENTITY, "epoch"],
    "tuning": ["suite", "key", "learning_rate", "strength", "seed", "task", "split", "metric"],
    "answers": [*IDENTITY, "task"],
    "sources": ["suite", "dataset", "seed"],
    "probes": [*IDENTITY, "given", "task", "classifier"],
    "universality": [*IDENTITY, "epoch", "task"],
    "sweeps": [*POINT, "split", "task", "metric"],
    "agreement": [*POINT, "epoch"],
    "embedding": ["regularizer", "sample"],
}
"""Columns that name a row, by file; the others are compared. What steps cost (``costs``) is measured, not computed, and
who made a number (``origins``) is no result: they are not here."""
STUDY_KEY = ["seed", *STUDY_CELL]
"""The same of a study's file."""
NOT_COMPARED = ("chosen",)
"""A choice needs the whole grid; it is decided anew from the committed rows instead."""
TextRows = dict[tuple[str, ...], dict[str, str]]
"""The other columns of each row, as text, by the columns that name it."""


@dataclass(frozen=True)
class RecordFile:
    """The rows of one file, as text.

    Attributes:
        name: e.g. ``runs``, or a study's name.
        key: the columns that name a row.
        rows: the others, by key.
        repeated: keys that stand there more than once.
    """

    name: str
    key: list[str]
    rows: TextRows
    repeated: list[tuple[str, ...]]


def provenance_file(suite: str) -> Path:
    """Where a suite of runs says what each seed's numbers depend on, in hashes."""
    return records_folder(suite) / "provenance.csv"


def origins_file(suite: str, name: str = "runs.csv") -> Path:
    """Where a suite says which commit and machine made its runs' numbers first, or in ``NAME.json`` a study's."""
    return origins_folder(suite) / name


def text_frame(path: Path) -> pd.DataFrame:
    """A committed CSV file with every cell as its text.

    Raises:
        DGRError: it is missing or damaged.
    """
    return read_frame(path, "restore it, for example with `git checkout`", dtype=str, keep_default_na=False)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame as it stands in a file: every cell the text that pandas writes."""
    return cells_of(frame.to_csv(index=False, lineterminator="\n"))


def cells_of(text: str) -> pd.DataFrame:
    """CSV with every cell as its text."""
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


def record_file(name: str, frame: pd.DataFrame) -> RecordFile:
    """A frame of texts by its rows' keys.

    Raises:
        DGRError: it lacks a column that names rows.
    """
    key = NAMING_COLUMNS.get(name, STUDY_KEY)
    if name == "embedding":  # points have no name but their place
        frame = frame.assign(sample=frame.groupby("regularizer").cumcount().astype(str))
    if missing := set(key) - set(frame):
        raise DGRError(f"{name}.csv lacks the columns {', '.join(sorted(missing))}; restore it with `git checkout`.")
    if "seed" in key:  # beside rows without a seed pandas writes 0.0
        frame = frame.assign(seed=frame["seed"].str.removesuffix(".0"))
    others = [column for column in frame if column not in (*key, *NOT_COMPARED)]
    names = list(frame[key].itertuples(index=False, name=None))
    values = [{str(name): str(value) for name, value in row.items()} for row in frame[others].to_dict("records")]
    rows = dict(zip(names, values, strict=True))
    repeated = list(dict.fromkeys(frame.loc[frame.duplicated(key), key].itertuples(index=False, name=None)))
    return RecordFile(name, key, rows, repeated)
