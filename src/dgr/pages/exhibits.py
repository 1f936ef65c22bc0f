"""The page's tables and figures, each number tied to the record that its table names."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.pages.grid import Grid, GridCell, from_texts, moved_to_second
from dgr.pages.inputs import Inputs
from dgr.pages.record_views import record_anchor
from dgr.pages.table_files import ShownTable, read_table

CLAIMS_TABLE = "claims"
Titles = Mapping[str, str]
"""How readers see the records of a page, by key."""


@dataclass(frozen=True)
class Picture:
    """A PNG as part of the page."""

    uri: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class Exhibit:
    """A table or figure, or the place where it is missing.

    Attributes:
        name: e.g. ``T1``.
        anchor: where links lead.
        command: what makes it.
        files: where it lies.
        caption: what it shows; empty where it is missing.
        notes: definitions, n, selection rules.
        grid: of a table.
        picture: of a figure.
    """

    name: str
    anchor: str
    command: str
    files: list[Path]
    caption: str = ""
    notes: list[str] = field(default_factory=list)
    grid: Grid | None = None
    picture: Picture | None = None

    @property
    def title(self) -> str:
        """Its name, in lists that hold records too."""
        return self.name

    @property
    def missing(self) -> bool:
        """Whether the plan asks for it and it has not been made."""
        return self.grid is None and self.picture is None


def table_exhibits(inputs: Inputs, titles: Titles) -> list[Exhibit]:
    """Every table of the plan, the claims' and the studies' among them.

    Raises:
        DGRError: a table is damaged, or names a record that the page does not have.
    """
    suite = inputs.suite
    commands = {entry["name"]: "table" for entry in inputs.entries("tables").values()}
    commands |= {entry["name"]: "study-report" for entry in inputs.entries("study_reports").values()}
    made = {name: f"python -m dgr {command} {suite} {name}" for name, command in commands.items()}
    if inputs.entries("study_reports"):
        made[CLAIMS_TABLE] = f"python -m dgr study-claims {suite}"
    return [_table(suite, name, command, titles) for name, command in made.items()]


def figure_exhibits(inputs: Inputs) -> list[Exhibit]:
    """Every figure of the plan, the studies' among them.

    Raises:
        DGRError: a file is no picture.
    """
    commands = {"figures": "figure", "study_reports": "study-report"}
    return [
        _figure(inputs.suite, entry["name"], f"python -m dgr {command} {inputs.suite} {entry['name']}")
        for section, command in commands.items()
        for entry in inputs.entries(section).values()
    ]


def _table(suite: str, name: str, command: str, titles: Titles) -> Exhibit:
    stem = paths.tables_folder(suite) / name
    blank = Exhibit(name, f"table-{name}", command, [stem.with_suffix(suffix) for suffix in (".csv", ".md", ".tex")])
    file = stem.with_suffix(".json")
    if not file.exists():
        return blank
    table = read_table(file, command)
    for key in (key for keys in table.records for key in keys if key not in titles):
        raise DGRError(f"{file} names the record '{key}', which suite '{suite}' does not have; run `{command}`.")
    grid = _grid(table, titles)
    if name == CLAIMS_TABLE:
        grid = replace(moved_to_second(grid, "Verdict"), caption=table.title)
    return replace(blank, caption=table.title, notes=table.notes, grid=grid)


def _grid(table: ShownTable, titles: Titles) -> Grid:
    """Each row leads to its first record; further ones stand in columns beside the row headers, if there are any."""
    anchors = [record_anchor(keys[0]) if keys else None for keys in table.records]
    grid = from_texts(f"{table.name}. {table.title}", table.columns, table.rows, anchors)
    if all(len(keys) < 2 for keys in table.records):
        return grid
    others = [[GridCell(titles[key], record_anchor(key)) for key in keys[1:]] for keys in table.records]
    most = max(map(len, others))
    padded = [[*own, *[GridCell("–")] * (most - len(own))] for own in others]
    rows = [[row[0], *own, *row[1:]] for row, own in zip(grid.rows, padded, strict=True)]
    return Grid(grid.caption, [grid.columns[0], *["Other record"] * most, *grid.columns[1:]], rows)


def _figure(suite: str, name: str, command: str) -> Exhibit:
    stem = paths.FIGURES / suite / name
    png = stem.with_suffix(".png")
    blank = Exhibit(name, f"figure-{name}", command, [stem.with_suffix(".pdf"), png])
    if not png.exists():
        return blank
    try:
        with Image.open(png) as image:
            image.load()
            caption, (width, height) = getattr(image, "text", {}).get("Description", ""), image.size
    except OSError as error:
        raise DGRError(f"{png} is no picture ({error}); run `{command}`.") from error
    uri = f"data:image/png;base64,{base64.b64encode(png.read_bytes()).decode()}"
    shown = Picture(uri, width, height, f"Figure {name}; the caption below it says what is drawn.")
    return replace(blank, caption=caption, picture=shown)
