"""The audit page's tables and figures, each number tied to the record it comes from."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.pages.grid import Grid, linked, linked_column, moved_to_second, read_document
from dgr.pages.inputs import Sources
from dgr.pages.measurement_records import baselines_anchor, cost_anchor, sweep_anchor
from dgr.pages.run_records import anchor_of_run

CLAIMS_TABLE = "claims"


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
    files: list[str]
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


def tables(sources: Sources) -> list[Exhibit]:
    """Every table of the plan, the claims' among them."""
    return [_table(sources, entry["name"]) for entry in sources.entries("tables").values()]


def figures(sources: Sources) -> list[Exhibit]:
    """Every figure of the plan."""
    return [_figure(sources.suite, entry["name"]) for entry in sources.entries("figures").values()]


def _table(sources: Sources, name: str) -> Exhibit:
    stem = paths.tables_folder(sources.suite) / name
    files = [f"{stem}{suffix}" for suffix in (".csv", ".md", ".tex")]
    blank = Exhibit(name, f"table-{name}", f"python -m dgr table {sources.suite} {name}", files)
    if not all(map(Path.exists, map(Path, files[:2]))):
        return blank
    document = read_document(Path(files[1]))
    data = pd.read_csv(files[0], keep_default_na=False, na_values=[""])
    anchors = [_anchor(sources, {str(name): value for name, value in row.items()}) for row in data.to_dict("records")]
    fits = len(anchors) == len(document.grid.rows)
    grid = linked(document.grid, anchors) if fits else document.grid
    if "against" in data and "Comparison" in grid.columns:
        pairs = zip(data["method"], data["against"], strict=True)
        grid = linked_column(grid, "Comparison", [anchor_of_run(sources, *pair) for pair in pairs])
    if name == CLAIMS_TABLE:
        grid = replace(moved_to_second(grid, "Verdict"), caption=document.title)
    return Exhibit(blank.name, blank.anchor, blank.command, files, document.title, document.notes, grid)


def _anchor(sources: Sources, row: dict[str, Any]) -> str | None:
    """The record behind one row of a table's CSV, told by its columns."""
    if "comparison" in row:
        return f"evidence-{row['comparison']}"
    if isinstance(row.get("sweep"), str):
        return sweep_anchor(sources, row["sweep"])
    if "seconds_per_step" in row:
        return cost_anchor(sources)
    if row.get("source") in ("majority", "pixels"):
        return baselines_anchor(sources)
    cell = (row.get("method"), row.get("regularizer"))
    if row.get("source") == "untrained":  # a snapshot that one of the runs kept
        probes = sources.records.probes
        cell = next(probes[probes["source"] == "untrained"][["method", "regularizer"]].itertuples(index=False))
    return anchor_of_run(sources, *map(str, cell))


def _figure(suite: str, name: str) -> Exhibit:
    stem = paths.FIGURES / suite / name
    png = stem.with_suffix(".png")
    blank = Exhibit(name, f"figure-{name}", f"python -m dgr figure {suite} {name}", [f"{stem}.pdf", f"{png}"])
    if not png.exists():
        return blank
    with Image.open(png) as image:
        image.load()
        caption = getattr(image, "text", {}).get("Description", "")
    shown = picture(png, f"Figure {name}; the caption below it says what is drawn.")
    return Exhibit(blank.name, blank.anchor, blank.command, blank.files, caption, picture=shown)


def picture(png: Path, alt: str) -> Picture:
    """A PNG file as part of a page.

    Raises:
        DGRError: the file is missing.
    """
    try:
        with Image.open(png) as image:
            width, height = image.size
    except FileNotFoundError as error:
        raise DGRError(f"{png} is missing; the stage that makes it is in dvc.yaml.") from error
    uri = f"data:image/png;base64,{base64.b64encode(png.read_bytes()).decode()}"
    return Picture(uri, width, height, alt)
