"""Tables as the pages show them: cells that may link to a record."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

NUMERIC = re.compile(r"[<+−–]?\d[\d.,]*(e[−-]?\d+)?†?( ± [\d.]+)?|\[[^a-z]*\]")
EXACT = ("strength", "setting", "value")  # columns of numbers that somebody chose or that are compared digit by digit


@dataclass(frozen=True)
class GridCell:
    """Text of one cell; ``anchor`` names the record on the page that a click shows."""

    text: str
    anchor: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether the cell holds a number or a dash, and so stands to the right."""
        return bool(NUMERIC.fullmatch(self.text)) or self.text in ("–", "")

    @property
    def has_digit(self) -> bool:
        """Whether some of the text is a number."""
        return bool(re.search(r"\d", self.text))


@dataclass(frozen=True)
class Grid:
    """A table with a caption; the first cell of a row is its header."""

    caption: str
    columns: list[str]
    rows: list[list[GridCell]]

    def numeric(self, column: int) -> bool:
        """Whether every cell of a column stands to the right."""
        return all(row[column].is_number for row in self.rows)


def from_texts(caption: str, columns: list[str], rows: list[list[str]], anchors: list[str | None]) -> Grid:
    """A table of texts; the header and every number of a row lead to the row's record."""
    cells = [[GridCell(text) for text in row] for row in rows]
    linked = [
        [replace(cell, anchor=anchor) if cell is row[0] or cell.has_digit else cell for cell in row]
        for row, anchor in zip(cells, anchors, strict=True)
    ]
    return Grid(caption, columns, linked)


def moved_to_second(grid: Grid, column: str) -> Grid:
    """The same table with a column beside the row headers, where a narrow screen shows it."""
    at = grid.columns.index(column)
    order = [0, at, *(index for index in range(1, len(grid.columns)) if index != at)]
    rows = [[row[index] for index in order] for row in grid.rows]
    return Grid(grid.caption, [grid.columns[index] for index in order], rows)


def from_frame(caption: str, frame: pd.DataFrame) -> Grid:
    """A frame as a table, its first column as row headers."""
    specs = [".4g" if name in EXACT else "#.4g" for name in frame]
    rows = [
        [GridCell(number_text(v, s)) for v, s in zip(row, specs, strict=True)] for row in frame.itertuples(index=False)
    ]
    return Grid(caption, list(map(str, frame.columns)), rows)


def number_text(value: object, spec: str = ".4g") -> str:
    """A float with a typographic minus, a dash for what does not exist; other values as text."""
    if isinstance(value, bool | np.bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:{spec}}".rstrip(".").replace("e-0", "e-").replace("-", "−")
