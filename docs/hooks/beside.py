"""Files beside docs that are pages too, and links of every page led to where their target stands in the site."""

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "paper_configs/README.md": "keys.md",
}
"""Where each stands in the site."""
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")

_LIST = re.compile(r"^((?!- |\d+\. |[ |#<]).+\n)(?=(?:-|1\.) )", re.MULTILINE)


def led(text: str, source: str) -> str:
    """The Markdown of a file with its links as they have to be in the site.

    Args:
        text: the file's.
        source: its path in the repository.
    """

    def lead(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        return PAGES.get(target) or posixpath.relpath(target, "docs")

    return _LINK.sub(lead, text)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from beside docs."""
    from mkdocs.structure.files import File  # tests of the rest have no mkdocs

    for source, page in PAGES.items():
        text = led((ROOT / source).read_text(encoding="utf-8"), source)
        files.append(File.generated(config, page, content=text))
    return files


def parted(text: str) -> str:
    """Markdown with an empty line before each list: right below a paragraph Python-Markdown sees none, GitHub does."""
    blocks = re.split(r"(^```.*?^```)", text, flags=re.DOTALL | re.MULTILINE)
    blocks[::2] = [_LIST.sub(r"\1\n", block) for block in blocks[::2]]
    return "".join(blocks)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links of a page of docs, and part its lists from paragraphs."""
    path = page.file.src_uri
    return parted(markdown if path in PAGES.values() else led(markdown, f"docs/{path}"))
