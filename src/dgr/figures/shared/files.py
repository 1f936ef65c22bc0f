"""A finished figure as PDF, PNG and SVG: the same bytes for the same drawing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG

from dgr.core.files import write_atomically
from dgr.figures.shared.style import Drawing

DPI = 200
CANVASES = {".pdf": FigureCanvasPdf, ".png": FigureCanvasAgg, ".svg": FigureCanvasSVG}
REPRODUCIBLE: dict[Any, Any] = {
    "pdf.fonttype": 42,
    "pdf.compression": 0,
    "savefig.bbox": "standard",
    "svg.hashsalt": "dgr",
}
REPRODUCIBLE["svg.fonttype"] = "none"  # text stays text: smaller, and it can be searched and read aloud


def save_drawing(drawing: Drawing, stem: Path) -> list[Path]:
    """Write ``stem.pdf``, ``stem.png`` and ``stem.svg`` atomically; needs no display.

    The caption travels in the files' metadata, which otherwise names neither a date nor a version. Pages are not
    compressed: pythons are built with different compressors.
    """
    png = {"Description": drawing.caption, "Software": None}
    pdf = {"Subject": drawing.caption, "CreationDate": None, "Producer": None, "Creator": None}
    svg = {"Description": drawing.caption, "Date": None, "Creator": None, "Format": None, "Type": None}
    outputs = {stem.with_suffix(suffix): told for suffix, told in ((".pdf", pdf), (".png", png), (".svg", svg))}
    with mpl.rc_context(REPRODUCIBLE):
        for path, metadata in outputs.items():
            canvas = CANVASES[path.suffix](drawing.figure)
            write = partial(canvas.print_figure, format=path.suffix[1:], dpi=DPI, metadata=metadata)
            write_atomically(path, write)
    return list(outputs)
