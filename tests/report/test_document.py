"""Sections are numbered once for page and PDF, and a link leads to one of them."""

import pytest

from dgr.core.errors import DGRError
from dgr.report.document import parse_report

TEXT = """# Title

## One

### Part *a*

See [the data](#data-statement).

## Two

### Part b

## Appendix: Data statement

### Faces
"""


def test_sections_are_numbered_and_appendices_lettered() -> None:
    document = parse_report(TEXT)
    assert document.title == "Title"
    shown = ["1 One", "1.1 Part a", "2 Two", "2.1 Part b", "A Data statement", "A.1 Faces"]
    assert [section.shown for section in document.sections] == shown
    assert [section.anchor for section in document.sections][-2] == "data-statement"


def test_a_link_to_no_section_is_an_error() -> None:
    with pytest.raises(DGRError, match="links to '#data', which is no section"):
        parse_report(TEXT.replace("#data-statement", "#data"))


def test_a_text_without_title_is_an_error() -> None:
    with pytest.raises(DGRError, match="has no title"):
        parse_report("## One\n")
