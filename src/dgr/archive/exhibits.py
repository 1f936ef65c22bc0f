"""The tables and figures of a suite that are there, each with what it shows, for those who check or archive them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dgr.core.paths import tables_folder
from dgr.figures.registry import DRAWN
from dgr.pages.table_files import read_table
from dgr.plan.graph import Stage, suite_stages

SHOWING_STAGES = ("table", "study_report", "study_claims", "figure")
"""Stages whose outputs are shown."""


class ShownFile(NamedTuple):
    """A table as CSV, or a figure as PNG.

    Attributes:
        path: from the repository's top folder.
        name: such as ``T1``.
        text: what it shows.
    """

    path: Path
    name: str
    text: str


def shown_files(suite: str) -> list[ShownFile]:
    """All of a suite's plan that have been made, tables first.

    Raises:
        DGRError: a table is damaged.
    """
    stages = suite_stages(suite)
    paths = [path for name in SHOWING_STAGES if name in stages for path in _made(stages[name])]
    tables = [path for path in paths if path.suffix == ".csv"]
    figures = [path for path in paths if path.suffix == ".png"]
    return [*map(_table, tables), *(_figure(suite, path) for path in figures)]


def _made(stage: Stage) -> Iterator[Path]:
    yield from (path for key in stage.entries for path in map(Path, stage.fill(key, "outs")) if path.is_file())


def _table(path: Path) -> ShownFile:
    return ShownFile(path, path.stem, _title(path.with_suffix(".json")))


def _figure(suite: str, path: Path) -> ShownFile:
    """A study's figure shows its table; another is described by the file that draws it, whatever the numbers are."""
    beside = tables_folder(suite) / f"{path.stem}.json"
    if beside.is_file():
        return ShownFile(path, path.stem, _title(beside))
    makers, kind = DRAWN.by_names(), path.stem.partition("-")[0]
    source = DRAWN.file(makers[kind]).read_text(encoding="utf-8")
    first, *_ = (ast.get_docstring(ast.parse(source)) or path.stem).splitlines()
    return ShownFile(path, path.stem, first.removeprefix(f"{kind}: ").rstrip("."))


def _title(table: Path) -> str:
    return read_table(table, "make reproduce").title.rstrip(".")
