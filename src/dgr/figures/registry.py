"""The registry of figures; adding one is a function from :class:`Scope` to :class:`Drawing` and a line here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.errors import DGRError, nearest
from dgr.core.files import write_atomically
from dgr.figures.critical_difference import critical_difference
from dgr.figures.embedding import embedding_figure
from dgr.figures.learning_curves import learning_curves
from dgr.figures.sensitivity import sensitivity_figure
from dgr.figures.style import Drawing
from dgr.figures.universality import universality_figure
from dgr.records.records import load_records
from dgr.records.scope import Scope, open_scope

FIGURES: dict[str, Callable[[Scope], Drawing]] = {
    "F1": embedding_figure,
    "F2": universality_figure,
    "F3": sensitivity_figure,
    "F4": critical_difference,
    "F5": learning_curves,
}
DPI = 200


def write_figure(suite: str, name: str) -> list[Path]:
    """Make ``figures/SUITE/NAME.{pdf,png}`` from the suite's records and the plan.

    Raises:
        DGRError: an unknown figure, or records that are missing, incomplete or not those of the plan.
    """
    if name not in FIGURES:
        raise DGRError(f"There is no figure '{name}'{nearest(name, FIGURES)}.")
    scope = open_scope("figures", suite, name, read_plan(), load_records(paths.records_folder(suite)))
    return save(FIGURES[name](scope), paths.FIGURES / suite / name)


def save(drawing: Drawing, stem: Path) -> list[Path]:
    """Write ``stem.pdf`` and ``stem.png`` atomically, the same bytes for the same drawing; needs no display.

    The caption travels in the files' metadata, which otherwise names neither a date nor a version.
    """
    png = {"Description": drawing.caption, "Software": None}
    pdf = {"Subject": drawing.caption, "CreationDate": None, "Producer": None, "Creator": None}
    outputs = {stem.with_suffix(".pdf"): pdf, stem.with_suffix(".png"): png}
    with mpl.rc_context({"pdf.fonttype": 42, "savefig.bbox": "standard"}):
        for path, metadata in outputs.items():
            canvas = (FigureCanvasPdf if path.suffix == ".pdf" else FigureCanvasAgg)(drawing.figure)
            draw = partial(canvas.print_figure, format=path.suffix[1:], dpi=DPI, metadata=metadata)
            write_atomically(path, draw)
    return list(outputs)
