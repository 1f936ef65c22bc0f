"""Reading a CSV file that may be anything: a table, or one sentence."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from dgr.core.errors import DGRError, reason

MOST_COLUMNS = 1_000
"""Records have some dozens; pandas takes minutes for a line of commas."""


def read_frame(path: Path, remedy: str, **options: Any) -> pd.DataFrame:
    """A CSV file as pandas reads it.

    Args:
        path: the file.
        remedy: what to do where it cannot be read.
        options: of ``pandas.read_csv``.

    Raises:
        DGRError: it is missing, is no plain file or no CSV, or a column does not hold what the options say.
    """
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise OSError("it is no plain file")
        with path.open("rb") as file:
            lines = iter(partial(file.readline, MOST_COLUMNS**2), b"")
            head = next((line for line in lines if line.strip()), b"")  # pandas passes over empty lines
            if head.count(b",") > MOST_COLUMNS:
                raise ValueError(f"it has more than {MOST_COLUMNS:,} columns")
        frame: pd.DataFrame = pd.read_csv(path, **options)
    except FileNotFoundError as error:
        raise DGRError(f"{path} is missing; {remedy}.") from error
    except (OSError, ValueError, TypeError, OverflowError) as error:  # a column that is not of its type is a TypeError
        raise DGRError(f"{path} is not readable CSV ({reason(error)}); {remedy}.") from error
    return frame
