"""The site in a browser, opened as a file: nothing is asked of a network, the search works, phones show it whole."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install it, e.g. apt-get install chromium")
# Run as root in a container, without asking anything of the network.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PATIENCE = 180_000
"""Milliseconds: other tests may have the cores."""


@pytest.fixture(scope="module")
def browser(site: Path) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def test_each_page_fits_a_phone_and_loads_nothing_from_elsewhere(site: Path, browser: Any) -> None:
    page, asked, errors = browser.new_page(viewport={"width": 390, "height": 800}), [], []
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    for path in sorted(site.glob("*.html")):
        if path.name != "404.html":
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path.name
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []
    assert errors == []


def test_the_search_finds_without_a_server(site: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto((site / "index.html").as_uri())
    page.click(".md-search__input")
    page.keyboard.type("micro-batch")
    page.locator(".md-search-result__item a").first.wait_for()
    assert "micro-batch" in page.inner_text(".md-search-result__list")
