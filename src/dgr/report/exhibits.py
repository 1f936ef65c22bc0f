"""Tables and figures of suites as Markdown, for the report's text."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from dgr.config.plan_file import Plan
from dgr.core import paths
from dgr.core.errors import DGRError, nearest
from dgr.pages.suite_facts import entries_of
from dgr.pages.table_files import read_table
from dgr.tables.shared.rendering import aligned_sides, escape_markdown


def table_in_text(plan: Plan, suite: str, name: str, columns: list[str]) -> str:
    """Some columns of a table, or a sentence where it has not been made.

    Raises:
        DGRError: no such table is planned, or it has no such column.
    """
    _check_planned(plan, suite, name, ("tables", "study_reports"))
    file = paths.tables_folder(suite) / f"{name}.json"
    if not file.exists():
        return f"*Table {name} of the suite {suite} has not been made yet.*"
    table = read_table(file, f"python -m dgr table {suite} {name}")
    if unknown := [column for column in columns if column not in table.columns]:
        raise DGRError(f"The report shows the column '{unknown[0]}' of {file}{nearest(unknown[0], table.columns)}.")
    places = [table.columns.index(column) for column in columns]
    return pipe_table(columns, [[row[place] for place in places] for row in table.rows])


def pipe_table(columns: list[str], rows: list[list[str]]) -> str:
    """Texts as a Markdown table, numbers to the right."""
    rule = ["--:" if side == "r" else ":--" for side in aligned_sides(columns, rows)]
    cells = [[escape_markdown(cell) for cell in row] for row in (columns, *rows)]
    lines = ["| " + " | ".join(row) + " |" for row in (cells[0], rule, *cells[1:])]
    return "\n".join(lines)


def figure_in_text(plan: Plan, suite: str, name: str) -> str:
    """A figure with its caption as an image, or a sentence where it has not been drawn.

    Raises:
        DGRError: no such figure is planned.
    """
    _check_planned(plan, suite, name, ("figures", "study_reports"))
    png = paths.FIGURES / suite / f"{name}.png"
    if not png.exists():
        return f"*Figure {name} of the suite {suite} has not been drawn yet.*"
    return f"![{escape_markdown(caption_of(png))}]({png.as_posix()})"


def caption_of(png: Path) -> str:
    """What a figure says of itself.

    Raises:
        DGRError: it is no picture.
    """
    try:
        with Image.open(png) as image:
            image.load()
            return str(getattr(image, "text", {}).get("Description", ""))
    except OSError as error:
        raise DGRError(f"{png} is no picture ({error}); draw it again.") from error


def _check_planned(plan: Plan, suite: str, name: str, sections: tuple[str, ...]) -> None:
    known = [str(entry["name"]) for section in sections for entry in entries_of(plan, section, suite)]
    if name not in known:
        raise DGRError(f"The report shows '{name}' of suite '{suite}', which is not planned{nearest(name, known)}.")
