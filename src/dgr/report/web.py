"""The report as one HTML page, which loads nothing from elsewhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it.token import Token
from markupsafe import Markup, escape
from PIL import Image

from dgr.pages.html import DECISIONS, page
from dgr.pages.notes import MARKDOWN
from dgr.report.document import Document, picture_of, plain_words

TABLE = '<div class="scroll" role="group" tabindex="0" aria-label="Table {}"><table>'
ALIGN = re.compile(r' style="text-align:(left|right|center)"')
BADGE = re.compile(rf"<td>({'|'.join(DECISIONS)})</td>")


def report_page(document: Document) -> str:
    """The page as text; the same bytes for the same document and pictures."""
    html = str(MARKDOWN.renderer.render(list(_tokens(document)), MARKDOWN.options, {}))
    # Alignment comes as a style attribute, which the page's policy forbids.
    html = ALIGN.sub(lambda match: ' class="n"' if match[1] == "right" else "", html)
    html = BADGE.sub(lambda match: f'<td><span class="badge {match[1].replace(" ", "-")}">{match[1]}</span></td>', html)
    numbers = iter(range(1, html.count("<table>") + 1))
    html = re.sub("<table>", lambda _: TABLE.format(next(numbers)), html).replace("</table>", "</table></div>")
    return page("report.html", title=document.title, sections=document.sections, body=Markup(html))


def _tokens(document: Document) -> Iterator[Token]:
    """The document's tokens as the renderer shall see them: headings numbered, pictures as figures."""
    sections, figures = iter(document.sections), 0
    tokens = document.tokens
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "heading_open":
            section = next(sections)
            level = f"h{section.level + 1}"
            number = f'<span class="number">{escape(section.number)}</span> '
            yield _html(f'<{level} id="{section.anchor}">{number}{escape(section.title)}</{level}>\n')
            place += 3  # its words and its end are told
        elif token.type == "paragraph_open" and (picture := picture_of(tokens[place + 1])):
            figures += 1
            yield _html(_figure(picture, figures))
            place += 3
        else:
            if token.type == "th_open":
                token.attrSet("scope", "col")
            yield token
            place += 1


def _figure(picture: Token, number: int) -> str:
    source = Path(str(picture.attrGet("src")))
    with Image.open(source) as image:
        width, height = image.size
    uri = f"data:image/png;base64,{base64.b64encode(source.read_bytes()).decode()}"
    alt = f"Figure {number}; the caption says what is drawn."
    shown = f'<img src="{uri}" width="{width}" height="{height}" alt="{alt}">'
    caption = f"Figure {number}. {escape(plain_words(picture))}"
    return f"<figure>\n{shown}\n<figcaption>{caption}</figcaption>\n</figure>\n"


def _html(text: str) -> Token:
    return Token("html_block", "", 0, content=text)
