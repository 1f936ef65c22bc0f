"""Puts generated tables into the README, between the markers that name them."""

from __future__ import annotations

import re
from pathlib import Path

from dgr.core.errors import DGRError, nearest
from dgr.core.files import write_text
from dgr.pages.verdict_table import other_papers_table, verdict_table

BLOCK = re.compile(
    r"(<!-- begin (?P<source>\S+)(?P<rows> rows(?P<names>( [\w-]+)*))? -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)

GENERATED = {"verdicts": verdict_table, "other-papers": other_papers_table}
"""Blocks that are no file."""


def filled(readme: str, root: Path) -> str:
    """The README's text with every marked block replaced by the file that its marker names.

    Args:
        readme: text with blocks ``<!-- begin PATH --> … <!-- end -->``; after ``PATH rows`` the table's rows alone,
            without its title and notes; after ``PATH rows A B`` those whose first cell is A or B; between
            ``<!-- begin verdicts -->`` and its end, and the other names of :data:`GENERATED`, what that function gives.
        root: what the paths are relative to.

    Raises:
        DGRError: a named file is missing.
    """

    def replace(match: re.Match[str]) -> str:
        if make := GENERATED.get(match["source"]):
            return "\n".join([match[1].rstrip(), *make(root), match["end"]])
        source = root / match["source"]
        if not source.is_file():
            raise DGRError(f"{source}, which the README shows, is missing; run `make reproduce`.")
        lines = source.read_text(encoding="utf-8").rstrip().splitlines()
        shown = _rows(source, lines, (match["names"] or "").split()) if match["rows"] else lines
        return "\n".join([match[1].rstrip(), *shown, match["end"]])

    return BLOCK.sub(replace, readme)


def _rows(source: Path, lines: list[str], names: list[str]) -> list[str]:
    """The table's head and the rows of these names, or all."""
    head, rule, *rows = [line for line in lines if line.startswith("|")]
    if not names:
        return [head, rule, *rows]
    by_name = {row.split("|")[1].strip().replace("\\", ""): row for row in rows}
    if missing := [name for name in names if name not in by_name]:
        raise DGRError(f"{source}, which the README shows, has no row '{missing[0]}'{nearest(missing[0], by_name)}.")
    return [head, rule, *(by_name[name] for name in names)]


def update(page: Path) -> None:
    """Bring a page's generated blocks up to date, whose paths are relative to the working directory."""
    write_text(page, filled(page.read_text(encoding="utf-8"), Path()))
