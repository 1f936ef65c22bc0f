"""Every link of the built site, checked: inside the site, and from it to files of the repository around it."""

from html.parser import HTMLParser
from os.path import normpath
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, what it loads, and where in it a link may lead.

    Args:
        text: HTML.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors, self.links, self.loaded = {""}, set[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Called for each element."""
        values = {name: value or "" for name, value in attributes}
        self.anchors |= {values["id"]} if "id" in values else set()
        if tag in ("a", "area") and "href" in values:
            self.links.add(values["href"])
        self.loaded |= {values["src"]} if "src" in values else set()
        self.loaded |= {values["href"]} if tag == "link" and "href" in values else set()


def broken(site: Path, root: Path) -> list[str]:
    """A sentence for each link that leads nowhere, and for all that would be loaded from a network.

    Args:
        site: the built site.
        root: the repository; links may lead to its files, but not out of it.
    """
    found = (path for path in sorted(site.rglob("*.html")) if path.name != "404.html")  # that one is for a server alone
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in found}
    return [
        f"{path.relative_to(site)}: {wrong}: {link}"
        for path, page in pages.items()
        for link in sorted(page.links | page.loaded)
        if (wrong := _wrong(link, path, page, pages, root))
    ]


def _wrong(link: str, path: Path, page: Page, pages: dict[Path, Page], root: Path) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return "is loaded from a network" if link in page.loaded and parts.scheme != "data" else None
    target = Path(normpath(path.parent / unquote(parts.path))) if parts.path else path
    if not target.is_relative_to(root):
        return "leads out of the repository"
    if not target.exists():
        return "does not exist"
    if not parts.fragment or target.suffix != ".html":
        return None
    there = pages.get(target) or Page(target.read_text(encoding="utf-8"))
    return None if unquote(parts.fragment) in there.anchors else "has no such anchor"


def on_post_build(config: Any) -> None:
    """Fail the build where a link is broken.

    Raises:
        PluginError: naming all of them.
    """
    from mkdocs.exceptions import PluginError  # tests of the rest have no mkdocs

    site, root = Path(config["site_dir"]), Path(config["config_file_path"]).parent
    if found := broken(site, root):
        raise PluginError("Broken links:\n  " + "\n  ".join(found))
