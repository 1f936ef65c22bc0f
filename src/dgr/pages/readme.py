"""Puts generated tables into the README, between the markers that name them."""

from __future__ import annotations

import re
from pathlib import Path

from dgr.core.errors import DGRError
from dgr.core.files import write_text

BLOCK = re.compile(r"(<!-- begin (?P<source>\S+)(?P<rows> rows)? -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(readme: str, root: Path) -> str:
    """The README's text with every marked block replaced by the file that its marker names.

    Args:
        readme: text with blocks ``<!-- begin PATH --> … <!-- end -->``; after ``PATH rows`` the table's rows alone,
            without its title and notes.
        root: what the paths are relative to.

    Raises:
        DGRError: a named file is missing.
    """

    def replace(match: re.Match[str]) -> str:
        source = root / match["source"]
        if not source.is_file():
            raise DGRError(f"{source}, which the README shows, is missing; run `make reproduce`.")
        lines = source.read_text(encoding="utf-8").rstrip().splitlines()
        shown = [line for line in lines if line.startswith("|")] if match["rows"] else lines
        return "\n".join([match[1].rstrip(), *shown, match[4]])

    return BLOCK.sub(replace, readme)


def update(readme: Path) -> None:
    """Bring a README's generated blocks up to date."""
    write_text(readme, filled(readme.read_text(encoding="utf-8"), readme.parent))
