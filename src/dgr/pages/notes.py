"""``docs/replication.md`` as part of the audit page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

# HTML stays text: what the document says can never become part of the page's own code.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
EXHIBIT = re.compile(r"\b[TF]\d+\b")


def render_notes(path: Path, anchors: Mapping[str, str]) -> Markup:
    """The document as HTML below the page's own second-level heading.

    Its title is left out, other headings move one level down and get an anchor, tables may scroll, and the name of a
    table or figure links to it. Other links become text: the page refers to nothing outside itself.

    Args:
        path: the Markdown file; a sentence takes its place where it is missing.
        anchors: of tables and figures, by name.
    """
    if not path.exists():
        return Markup("<p>{} is missing.</p>").format(path)
    tokens = MARKDOWN.parse(path.read_text(encoding="utf-8"))
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]
    heading = ""
    for index, token in enumerate(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + 1}"
        if token.type == "heading_open":
            heading = tokens[index + 1].content
            token.attrSet("id", f"note-{re.sub(r'[^a-z0-9]+', '-', heading.lower()).strip('-')}")
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.children:
            token.children = [part for child in token.children for part in _inline(child, anchors)]
    html = str(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))
    # Column alignment comes as a style attribute, which the page's policy forbids.
    html = re.sub(r' style="text-align:(left|right|center)"', "", html)
    opening = '<div class="scroll" role="group" tabindex="0" aria-label="Table of the notes"><table>'
    return Markup(html.replace("<table>", opening).replace("</table>", "</table></div>"))


def _inline(token: Token, anchors: Mapping[str, str]) -> list[Token]:
    if token.type in ("link_open", "link_close", "image"):
        return []
    if token.type != "text" or not EXHIBIT.search(token.content):
        return [token]

    def link(match: re.Match[str]) -> str:
        name = match.group()
        return f'<a href="#{anchors[name]}">{name}</a>' if name in anchors else name

    # The text is escaped here, and the names put in are the plan's own.
    return [Token("html_inline", "", 0, content=EXHIBIT.sub(link, str(escape(token.content))))]
