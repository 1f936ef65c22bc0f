"""The page's tables and figures, each number tied to the record that its table names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os.path import relpath
from pathlib import Path
from typing import Any

from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.core.registry import Listing
from dgr.pages.grid import Grid, GridCell, from_texts, moved_to_second
from dgr.pages.inputs import Inputs
from dgr.pages.pictures import Picture, read_svg
from dgr.pages.record_views import record_anchor
from dgr.pages.table_files import ShownTable, read_table

CLAIMS_TABLE = "claims"
TABLE_FILES, FIGURE_FILES = Listing("dgr.tables", "table"), Listing("dgr.figures", "figure")
CODE_OF_STUDIES = Path("src/dgr/tables/studies")
Titles = Mapping[str, str]
"""How readers see the records of a page, by key."""


@dataclass(frozen=True)
class Exhibit:
    """A table or figure, or the place where it is missing.

    Attributes:
        name: e.g. ``T1``.
        about: what kind it is, and of which data set and architecture.
        code: the file that makes it; None where it has not been made.
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
    about: str = ""
    code: Path | None = None

    @property
    def title(self) -> str:
        """Its name, in lists that hold records too."""
        return self.name

    @property
    def links(self) -> dict[str, str]:
        """Its files and code as links from its suite's page, by their text."""
        files = {file.suffix.removeprefix(".").upper(): file for file in self.files}
        if self.code is not None:
            files["code"] = self.code
        # A page lies two folders deep, results/SUITE.
        return {text: Path(relpath(file, "results/SUITE")).as_posix() for text, file in files.items()}

    @property
    def missing(self) -> bool:
        """Whether the plan asks for it and it has not been made."""
        return self.grid is None and self.picture is None


def table_exhibits(inputs: Inputs, titles: Titles) -> list[Exhibit]:
    """Every table of the plan, the claims' and the studies' among them.

    Raises:
        DGRError: a table is damaged, or names a record that the page does not have.
    """
    suite, made = inputs.suite, []
    for entry in inputs.entries("tables").values():
        made.append((f"table {suite} {entry['name']}", entry, source_of(TABLE_FILES, entry["name"])))
    for entry in inputs.entries("study_reports").values():
        made.append((f"study-report {suite} {entry['name']}", entry, CODE_OF_STUDIES / "measures.py"))
    if inputs.entries("study_reports"):
        made.append((f"study-claims {suite}", {"name": CLAIMS_TABLE}, CODE_OF_STUDIES / "claims.py"))
    return [
        _table(suite, entry["name"], f"python -m dgr {command}", titles, about_text(entry, TABLE_FILES), code)
        for command, entry, code in made
    ]


def figure_exhibits(inputs: Inputs) -> list[Exhibit]:
    """Every figure of the plan, the studies' among them.

    Raises:
        DGRError: a file is no picture.
    """
    suite, made = inputs.suite, []
    for entry in inputs.entries("figures").values():
        made.append(("figure", entry, source_of(FIGURE_FILES, entry["name"])))
    for entry in inputs.entries("study_reports").values():
        made.append(("study-report", entry, Path("src/dgr/figures/shared/study.py")))
    return [
        _figure(
            suite,
            entry["name"],
            f"python -m dgr {command} {suite} {entry['name']}",
            about_text(entry, FIGURE_FILES),
            code,
        )
        for command, entry, code in made
    ]


def about_text(entry: dict[str, Any], files: Listing) -> str:
    """What a table or figure of the plan is: its kind, or a study's title, and where it has one its data set.

    Args:
        entry: of the plan.
        files: those that make such.
    """
    if "title" in entry:
        return str(entry["title"]).rstrip(".")
    kind = files.by_names().get(entry["name"].partition("-")[0], "unknown").replace("_", " ")
    place = ", ".join(entry[name] for name in ("dataset", "architecture") if name in entry)
    return f"{kind}{f' ({place})' if place else ''}"


def source_of(files: Listing, name: str) -> Path | None:
    """The file of this repository that makes a table or figure; None where there is none."""
    entry = files.by_names().get(name.partition("-")[0])
    return None if entry is None else Path("src") / files.package.replace(".", "/") / f"{entry}.py"


def _table(suite: str, name: str, command: str, titles: Titles, about: str, code: Path | None) -> Exhibit:
    stem = paths.tables_folder(suite) / name
    files = [stem.with_suffix(suffix) for suffix in (".csv", ".md", ".tex")]
    blank = Exhibit(name, f"table-{name}", command, files, about=about, code=code)
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


def _figure(suite: str, name: str, command: str, about: str, code: Path | None) -> Exhibit:
    stem = paths.FIGURES / suite / name
    files = [stem.with_suffix(suffix) for suffix in (".svg", ".pdf", ".png")]
    blank = Exhibit(name, f"figure-{name}", command, files, about=about, code=code)
    if not files[0].exists():
        return blank
    picture = read_svg(files[0], command)
    return replace(blank, caption=picture.caption, picture=picture)
