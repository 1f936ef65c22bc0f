"""A table of cells of text, of which columns hold labels: read from a CSV file, or made of arrays."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from dgr.core.errors import DGRError, nearest


class LabelTable(NamedTuple):
    """Columns of equal length, by name.

    Attributes:
        path: the file they are from.
        columns: cells without blanks around them; an empty one says that there is no value.
        numbers: of the rows, as a person counts them in the file.
        unit: what such a number counts.
    """

    path: Path
    columns: dict[str, list[str]]
    numbers: Sequence[int]
    unit: str = "line"

    def where(self, row: int, column: str) -> str:
        """The place of a cell, for messages."""
        return f"{self.path}, {self.unit} {self.numbers[row]}, column '{column}',"


def read_csv(path: Path, wanted: Iterable[str]) -> LabelTable:
    """Columns of a CSV file in UTF-8: commas between cells, a header in the first line.

    Args:
        path: the file.
        wanted: names of the columns; others are passed over.

    Raises:
        DGRError: it is missing or no such file, lacks a column, or a line has too few or too many cells.
    """
    try:
        if not path.is_file():
            raise DGRError(f"{path} is no file; put the table of labels there.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [([cell.strip() for cell in cells], reader.line_num) for cells in reader if cells]
    except UnicodeDecodeError as error:
        raise DGRError(f"{path} is not UTF-8 at byte {error.start:,}; save it as UTF-8.") from error
    except csv.Error as error:
        raise DGRError(f"{path} is no CSV file ({error}); save it with commas between its cells.") from error
    except OSError as error:
        raise DGRError(f"{path} cannot be read ({error.strerror}); make it readable.") from error
    header, rows = (lines[0][0], lines[1:]) if lines else ([], [])
    for name in wanted:
        if header.count(name) != 1:
            problem = f"{header.count(name)} columns '{name}'" if name in header else f"no column '{name}'"
            hint = "; keep one." if name in header else nearest(name, header)
            raise DGRError(f"{path} has {problem}{hint}")
    if not rows:
        raise DGRError(f"{path} has no row below its header; give it one for each sample.")
    for cells, number in rows:
        if len(cells) != len(header):
            raise DGRError(
                f"{path}, line {number}: there are {len(cells)} cells, but {len(header)} columns; put cells that hold "
                "commas in quotation marks."
            )
    columns = {name: [cells[header.index(name)] for cells, _ in rows] for name in wanted}
    return LabelTable(path, columns, [number for _, number in rows])
