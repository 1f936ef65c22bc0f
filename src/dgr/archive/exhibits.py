"""The tables and figures of a suite that are there, each with what it shows, for those who check or archive them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from dgr.core.errors import DGRError
from dgr.pages.table_files import read_table
from dgr.plan.graph import Stage, suite_stages

SHOWING_STAGES = ("table", "study_report", "study_claims", "figure")
"""Stages whose outputs are shown."""


class ShownFile(NamedTuple):
    """A table as CSV, or a figure as PNG.

    Attributes:
        path: from the repository's top folder.
        name: such as ``T1``.
        text: its title, or the first sentence of its caption.
    """

    path: Path
    name: str
    text: str


def shown_files(suite: str) -> list[ShownFile]:
    """All of a suite's plan that have been made, tables first.

    Raises:
        DGRError: a table or figure is damaged.
    """
    stages = suite_stages(suite)
    paths = [path for name in SHOWING_STAGES if name in stages for path in _made(stages[name])]
    tables = [path for path in paths if path.suffix == ".csv"]
    figures = [path for path in paths if path.suffix == ".png"]
    return [*map(_table, tables), *map(_figure, figures)]


def _made(stage: Stage) -> Iterator[Path]:
    yield from (path for key in stage.entries for path in map(Path, stage.fill(key, "outs")) if path.is_file())


def _table(path: Path) -> ShownFile:
    file = path.with_suffix(".json")
    return ShownFile(path, path.stem, read_table(file, "make reproduce").title.rstrip("."))


def _figure(path: Path) -> ShownFile:
    try:
        with Image.open(path) as image:
            image.load()
            caption: str = getattr(image, "text", {}).get("Description", "")
    except OSError as error:
        raise DGRError(f"{path} is no picture ({error}); run `make reproduce`.") from error
    return ShownFile(path, path.stem, caption.split(". ")[0].rstrip("."))
