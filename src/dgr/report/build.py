"""Writes the report: ``results/report.html`` and ``results/report.pdf``."""

from __future__ import annotations

from pathlib import Path

from dgr.core.extras import needed
from dgr.core.files import write_atomically, write_text
from dgr.core.paths import RESULTS
from dgr.report.document import Document, parse_report
from dgr.report.text import filled_text
from dgr.report.typeset import typst_source
from dgr.report.web import report_page

REPORT_PAGE = RESULTS / "report.html"
REPORT_PDF = RESULTS / "report.pdf"
PREAMBLE = Path(__file__).parent / "templates/report.typ"
"""How the PDF looks."""


def write_report() -> list[Path]:
    """Write both, the same bytes for the same files.

    Raises:
        DGRError: the text names what no record has, or a file is missing or damaged; nothing is written then.
    """
    document = parse_report(filled_text())
    html, pdf = report_page(document), report_pdf(document)
    write_text(REPORT_PAGE, html)
    write_atomically(REPORT_PDF, lambda file: file.write(pdf))
    return [REPORT_PAGE, REPORT_PDF]


def report_pdf(document: Document) -> bytes:
    """The PDF; figures are read from the working directory.

    Raises:
        MissingExtraError: Typst is not installed.
    """
    with needed("The report's PDF"):
        import typst
    source = typst_source(document, PREAMBLE.read_text(encoding="utf-8")).encode()
    # Fonts of the machine are not looked at, and the time is fixed, so that the bytes are the same everywhere.
    pdf = typst.Compiler(source, root=Path.cwd(), ignore_system_fonts=True).compile(format="pdf", timestamp=0)
    assert isinstance(pdf, bytes)
    return pdf
