"""Tables as the audit page shows them: cells that may link to a record, read from the project's own Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dgr.core.errors import DGRError

# HTML stays text: what a table or a document says can never become part of the page's own code.
NUMBER = re.compile(r"[<+−–]?\d[\d.,]*(e[−-]?\d+)?†?( ± [\d.]+)?|\[[^a-z]*\]")
EXACT = ("strength", "setting", "value")  # columns of numbers that somebody chose or that are compared digit by digit
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Cell:
    """Text of one cell; ``anchor`` names the record on the page that a click shows."""

    text: str
    anchor: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether the cell holds a number or a dash, and so stands to the right."""
        return bool(NUMBER.fullmatch(self.text)) or self.text in ("–", "")

    @property
    def has_digit(self) -> bool:
        """Whether some of the text is a number."""
        return bool(re.search(r"\d", self.text))


@dataclass(frozen=True)
class Grid:
    """A table with a caption; the first cell of a row is its header."""

    caption: str
    columns: list[str]
    rows: list[list[Cell]]

    def numeric(self, column: int) -> bool:
        """Whether every cell of a column stands to the right."""
        return all(row[column].is_number for row in self.rows)


@dataclass(frozen=True)
class Document:
    """A report's Markdown, taken apart: title, table, notes (plain text)."""

    title: str
    grid: Grid
    notes: list[str]


def read_document(path: Path) -> Document:
    """Read a table that :func:`dgr.tables.shared.rendering.write` made.

    Raises:
        DGRError: the file holds no table.
    """
    tokens = MARKDOWN.parse(path.read_text(encoding="utf-8"))
    kinds = [token.type for token in tokens]
    if "table_open" not in kinds:
        command = f"python -m dgr table {path.parents[1].name} {path.stem}"
        raise DGRError(f"{path} holds no table; make it again with `{command}`.")
    start, end = kinds.index("table_open"), kinds.index("table_close")
    before, after = (_texts(part) for part in (tokens[:start], tokens[end:]))
    header_end = kinds.index("thead_close")
    columns = _texts(tokens[start:header_end])
    body = _texts(tokens[header_end:end])
    rows = [[Cell(text) for text in body[i : i + len(columns)]] for i in range(0, len(body), len(columns))]
    title = " ".join(before).removeprefix(f"{path.stem}.").strip()
    return Document(title, Grid(f"{path.stem}. {title}", columns, rows), after)


def linked(grid: Grid, anchors: list[str | None]) -> Grid:
    """The same table; the header and every number of a row lead to the row's record."""
    rows = [
        [replace(cell, anchor=anchor) if cell is row[0] or cell.has_digit else cell for cell in row]
        for row, anchor in zip(grid.rows, anchors, strict=True)
    ]
    return replace(grid, rows=rows)


def linked_column(grid: Grid, column: str, anchors: list[str | None]) -> Grid:
    """The same table; each cell of a column leads to a record of its own."""
    at = grid.columns.index(column)
    rows = [
        [*row[:at], replace(row[at], anchor=anchor), *row[at + 1 :]]
        for row, anchor in zip(grid.rows, anchors, strict=True)
    ]
    return replace(grid, rows=rows)


def moved_to_second(grid: Grid, column: str) -> Grid:
    """The same table with a column beside the row headers, where a narrow screen shows it."""
    at = grid.columns.index(column)
    order = [0, at, *(index for index in range(1, len(grid.columns)) if index != at)]
    rows = [[row[index] for index in order] for row in grid.rows]
    return Grid(grid.caption, [grid.columns[index] for index in order], rows)


def from_frame(caption: str, frame: pd.DataFrame) -> Grid:
    """A frame as a table, its first column as row headers."""
    specs = [".4g" if name in EXACT else "#.4g" for name in frame]
    rows = [[Cell(number(v, s)) for v, s in zip(row, specs, strict=True)] for row in frame.itertuples(index=False)]
    return Grid(caption, list(map(str, frame.columns)), rows)


def number(value: object, spec: str = ".4g") -> str:
    """A float with a typographic minus, a dash for what does not exist; other values as text."""
    if isinstance(value, bool | np.bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:{spec}}".rstrip(".").replace("e-0", "e-").replace("-", "−")


def _texts(tokens: list[Token]) -> list[str]:
    """The plain text of each inline block."""
    blocks = [token.children or [] for token in tokens if token.type == "inline"]
    return ["".join(" " if part.type == "softbreak" else part.content for part in parts) for parts in blocks]
