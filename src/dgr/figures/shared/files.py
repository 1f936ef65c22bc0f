"""A finished figure as PDF and PNG: the same bytes for the same drawing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from dgr.core.files import write_atomically
from dgr.figures.shared.style import Drawing

DPI = 200


def save_drawing(drawing: Drawing, stem: Path) -> list[Path]:
    """Write ``stem.pdf`` and ``stem.png`` atomically; needs no display.

    The caption travels in the files' metadata, which otherwise names neither a date nor a version. Pages are not
    compressed: pythons are built with different compressors.
    """
    png = {"Description": drawing.caption, "Software": None}
    pdf = {"Subject": drawing.caption, "CreationDate": None, "Producer": None, "Creator": None}
    outputs = {stem.with_suffix(".pdf"): pdf, stem.with_suffix(".png"): png}
    with mpl.rc_context({"pdf.fonttype": 42, "pdf.compression": 0, "savefig.bbox": "standard"}):
        for path, metadata in outputs.items():
            canvas = (FigureCanvasPdf if path.suffix == ".pdf" else FigureCanvasAgg)(drawing.figure)
            write = partial(canvas.print_figure, format=path.suffix[1:], dpi=DPI, metadata=metadata)
            write_atomically(path, write)
    return list(outputs)
