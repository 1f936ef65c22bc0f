"""The report as source text of Typst, which makes the PDF of it.

Every word is a string of Typst's code, so that nothing in it can mean anything to Typst.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from dgr.report.document import Document, Section, picture_of, plain_words

OPENINGS = {"strong": "#strong[", "em": "#emph[", "paragraph": "#par[", "list_item": "[", "th": "[", "td": "["}
LISTS = {"bullet_list": "list", "ordered_list": "enum"}
LONG = 18
"""A column with longer cells shares what the others leave of the line."""


def typst_source(document: Document, preamble: str) -> str:
    """The document behind a preamble that defines the function ``report``.

    Args:
        document: the report.
        preamble: how it looks, in Typst.
    """
    sections = iter(document.sections)
    nodes = SyntaxTreeNode(document.tokens).children
    body = [_block(node, sections) for node in nodes]
    return "\n".join([preamble, f"#show: report.with(title: {_string(document.title)})", *body, ""])


def _block(node: SyntaxTreeNode, sections: Iterator[Section]) -> str:
    match node.type:
        case "heading":
            section = next(sections)
            number, title = _string(section.number), _string(section.title)
            return f"#section({section.level}, {number}, {title}) <{section.anchor}>"
        case "paragraph" if picture := _picture(node):
            source = Path(str(picture.attrGet("src"))).with_suffix(".pdf").as_posix()
            return f"#figure(image({_string('/' + source)}, width: 88%), caption: [#{_string(plain_words(picture))}])"
        case "bullet_list" | "ordered_list":
            items = ", ".join(f"[{_all(item, sections)}]" for item in node.children)
            return f"#{LISTS[node.type]}({items})"
        case "table":
            return _table(node)
        case "fence" | "code_block":
            return f"#raw(block: true, {_string(node.content.rstrip())})"
        case "hr":
            return "#line(length: 100%)"
        case "blockquote":
            return f"#quote(block: true)[{_all(node, sections)}]"
        case "paragraph":
            return f"{_words(node)}\n"
        case other:
            raise NotImplementedError(f"Markdown of the kind '{other}' has no form in the PDF")


def _all(node: SyntaxTreeNode, sections: Iterator[Section]) -> str:
    return "\n".join(_block(child, sections) for child in node.children)


def _picture(node: SyntaxTreeNode) -> Token | None:
    return picture_of(node.to_tokens()[1])


def _words(node: SyntaxTreeNode) -> str:
    """The inline parts below a block."""
    return "".join(_inline(part) for inline in node.children for part in inline.children)


def _inline(node: SyntaxTreeNode) -> str:
    inner = "".join(map(_inline, node.children))
    match node.type:
        case "text":
            return f"#{_string(node.content)};"
        case "code_inline":
            return f"#raw({_string(node.content)});"
        case "softbreak":
            return "\n"
        case "hardbreak":
            return "#linebreak();"
        case "strong" | "em":
            return f"{OPENINGS[node.type]}{inner}];"
        case "link":
            return _link(str(node.attrs["href"]), inner)
        case other:
            raise NotImplementedError(f"Markdown of the kind '{other}' has no form in the PDF")


def _link(target: str, inner: str) -> str:
    """To a section or an address; a file of the repository is not beside every copy of a PDF, and so is no link."""
    if target.startswith("#"):
        return f"#link(<{target[1:]}>)[{inner}];"
    return f"#link({_string(target)})[{inner}];" if "://" in target else inner


def _table(node: SyntaxTreeNode) -> str:
    head, *bodies = node.children
    rows = [row.children for part in (head, *bodies) for row in part.children]
    texts = [["".join(part.content for part in cell.walk() if part.type in ("text", "code_inline")) for cell in row]
             for row in rows]  # fmt: skip
    longest = [max(map(len, column)) for column in zip(*texts, strict=True)]
    columns = ", ".join("auto" if most <= LONG else f"{math.sqrt(most):.1f}fr" for most in longest)
    aligned = ", ".join("right" if "right" in str(cell.attrs.get("style", "")) else "left" for cell in rows[0])
    cells = [", ".join(f"[{_words(cell)}]" for cell in row) for row in rows]
    lines = [f"columns: ({columns},)", f"align: ({aligned},)", f"table.header({cells[0]})", *cells[1:]]
    return "#table(" + ",\n".join(lines) + ")"


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
