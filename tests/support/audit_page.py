"""Reading the audit page as a standard-conforming parser does."""

import html5lib
from audit_support import SUITE

from dgr.pages.audit import write_audit

XHTML = "{http://www.w3.org/1999/xhtml}"


def page() -> str:
    return write_audit(SUITE).read_text()


def parsed(html: str):
    """The document; a parse error of the HTML standard raises."""
    return html5lib.HTMLParser(strict=True).parse(html)


def by_id(tree, name: str):
    (found,) = [element for element in tree.iter() if element.get("id") == name]
    return found


def text(element) -> str:
    return " ".join("".join(element.itertext()).split())


def text_of(tree, name: str) -> str:
    return text(by_id(tree, name))


def links(element) -> list[str]:
    return [link.get("href") for link in element.iter(f"{XHTML}a")]
