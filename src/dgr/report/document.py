"""The report as a list of Markdown tokens: sections numbered, with anchors, figures told from other paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from markdown_it.token import Token

from dgr.core.errors import DGRError, nearest
from dgr.pages.notes import MARKDOWN

APPENDIX = "Appendix: "


class Section(NamedTuple):
    """A heading below the title: its level from 1, its number, such as ``3.1`` or ``A``, its anchor and its words."""

    level: int
    number: str
    anchor: str
    title: str

    @property
    def shown(self) -> str:
        """Number and words."""
        return f"{self.number} {self.title}"


@dataclass(frozen=True)
class Document:
    """A parsed report.

    Attributes:
        title: its heading.
        sections: in order; the n-th belongs to the n-th ``heading_open`` of ``tokens``.
        tokens: all behind the title.
    """

    title: str
    sections: list[Section]
    tokens: list[Token]


def parse_report(markdown: str) -> Document:
    """Parse a report.

    Raises:
        DGRError: it does not begin with a title, has raw HTML, or a link leads to no section.
    """
    tokens = MARKDOWN.parse(markdown)
    if not tokens or tokens[0].tag != "h1":
        raise DGRError("The report has no title; begin report/report.md with a line `# Title`.")
    document = Document(tokens[1].content, list(_sections(tokens[3:])), tokens[3:])
    anchors = [section.anchor for section in document.sections]
    for link in (child for token in tokens for child in token.children or [] if child.type == "link_open"):
        target = str(link.attrGet("href"))
        if target.startswith("#") and target[1:] not in anchors:
            raise DGRError(f"The report links to '{target}', which is no section{nearest(target[1:], anchors)}.")
    return document


def picture_of(token: Token) -> Token | None:
    """The image that a paragraph consists of; None where it is text."""
    children = token.children or []
    return children[0] if len(children) == 1 and children[0].type == "image" else None


def plain_words(token: Token) -> str:
    """The words of an inline token, without marks."""
    return "".join(child.content for child in token.children or [])


def _sections(tokens: list[Token]) -> Iterator[Section]:
    chapter, sub, appendices = 0, 0, 0
    number = ""
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        level, title = int(opening.tag[1]) - 1, plain_words(inline)
        if level > 1:
            sub += 1
            shown = f"{number}.{sub}"
        elif title.startswith(APPENDIX):
            sub, appendices = 0, appendices + 1
            number = shown = chr(ord("A") + appendices - 1)
        else:
            sub, chapter = 0, chapter + 1
            number = shown = str(chapter)
        title = title.removeprefix(APPENDIX)
        yield Section(level, shown, re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"), title)
