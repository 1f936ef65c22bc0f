"""A table as its JSON tells it: texts as readers see them, and the keys of the records behind each row."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ValidationError, model_validator

from dgr.core.errors import DGRError


class ShownTable(BaseModel):
    """``results/SUITE/tables/NAME.json``."""

    name: str
    title: str
    notes: list[str]
    columns: list[str]
    rows: list[list[str]]
    records: list[list[str]]
    """Of each row the keys of the runs, measurements, studies or comparisons behind it, the main one first."""

    @model_validator(mode="after")
    def _is_rectangular(self) -> Self:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("each row needs a cell a column")
        if len(self.records) != len(self.rows):
            raise ValueError("each row needs a list of its records")
        return self


def read_table(path: Path, command: str) -> ShownTable:
    """Read a table.

    Args:
        path: its JSON.
        command: what makes it.

    Raises:
        DGRError: the file holds no table.
    """
    try:
        return ShownTable.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise DGRError(f"{path} holds no table; make it again with `{command}`.") from error
