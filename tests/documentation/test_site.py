"""The site that `make docs` builds: complete, without a network, and without a link that leads nowhere."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from docs_pages import DOCS, ROOT, build
from packaging.requirements import Requirement


def hook(name: str) -> ModuleType:
    """One of docs/hooks, without mkdocs where it needs none."""
    spec = importlib.util.spec_from_file_location(f"hooks_{name}", DOCS / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r": (\w+\.md)$", text, re.MULTILINE))
    beside = set(re.findall(r'"(\w+\.md)",$', (DOCS / "hooks/beside.py").read_text(encoding="utf-8"), re.MULTILINE))
    assert named == {page.name for page in DOCS.glob("*.md")} | beside


def test_the_site_has_its_pages_and_the_public_names(site: Path) -> None:
    pages = {page.stem for page in DOCS.glob("*.md")} | {"contributing", "changes", "keys"}
    assert pages <= {page.stem for page in site.glob("*.html")}
    api = (site / "api.html").read_text(encoding="utf-8")
    assert 'id="dgr.DummyGradientNorm"' in api
    assert "length ε &gt; 0 of the finite-difference step" in api, "arguments are described"
    assert not re.search(r":(class|func|math|meth|data|mod):", api), "a role of Sphinx is shown as it is typed"


def test_formulas_are_drawn_without_a_script(site: Path) -> None:
    text = (site / "methods.html").read_text(encoding="utf-8")
    assert text.count("<math ") > 50
    assert "arithmatex" not in text
    assert not re.search(r"\$[^$<]*\\[a-z]+", re.sub(r"<pre.*?</pre>|<code.*?</code>", "", text, flags=re.DOTALL))


def test_a_broken_link_fails_the_build(site: Path, tmp_path: Path) -> None:
    settings = {"site_name": "x", "docs_dir": "pages", "hooks": ["docs/hooks/links.py"], "plugins": []}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (tmp_path / "pages").mkdir()
    page = tmp_path / "pages/index.md"
    page.write_text("# A page\n\n[gone](../gone.md)\n", encoding="utf-8")
    done = build(tmp_path)
    assert done.returncode != 0
    assert "index.html: does not exist: ../gone.md" in done.stderr


def test_what_is_wrong_with_a_link_is_said(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "page.html").write_text('<p id="there"></p>', encoding="utf-8")
    (tmp_path / "README.md").touch()
    right = ["#here", "", "../README.md#any", "../page.html#there", "https://example.org", "data:,", "other.html#b%20b"]
    wrong = {
        "#there": "has no such anchor",
        "../page.html#here": "has no such anchor",
        "gone.html": "does not exist",
        "../gone.md": "does not exist",
        "../../x.md": "leads out of the repository",
        "/README.md": "leads out of the repository",
    }
    links = "".join(f'<a href="{link}">x</a>' for link in [*right, *wrong])
    loaded = '<img src="https://example.org/a.png"><img src="gone.png"><link href="//example.org/a.css">'
    (tmp_path / "site/index.html").write_text(f'<p id="here">{links}{loaded}</p>', encoding="utf-8")
    (tmp_path / "site/other.html").write_text('<p id="b b"></p>', encoding="utf-8")
    wrong |= {
        "https://example.org/a.png": "is loaded from a network",
        "//example.org/a.css": "is loaded from a network",
        "gone.png": "does not exist",
    }
    found = hook("links").broken(tmp_path / "site", tmp_path)
    assert sorted(found) == sorted(f"index.html: {why}: {link}" for link, why in wrong.items())


@pytest.mark.parametrize(
    ("source", "text", "led"),
    [
        ("CONTRIBUTING.md", "[a](docs/data.md#x) [b](Makefile)", "[a](data.md#x) [b](../Makefile)"),
        ("paper_configs/README.md", "[a](../docs/data.md) [b](#key)", "[a](data.md) [b](#key)"),
        (
            "docs/a.md",
            "[a](../CONTRIBUTING.md#style) [b](https://x.org/a)",
            "[a](contributing.md#style) [b](https://x.org/a)",
        ),
    ],
)
def test_a_link_is_led_to_where_its_target_stands_in_the_site(source: str, text: str, led: str) -> None:
    assert hook("beside").led(text, source) == led


def test_the_lock_of_the_documentation_has_a_hash_for_every_file_and_meets_what_is_asked() -> None:
    lock = (ROOT / "requirements-docs.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^([a-z0-9-]+)==(\S+) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", lock, re.MULTILINE)
    pins = {name: version for name, version, _ in entries}
    assert len(pins) == len(re.findall("^[a-z]", lock, re.MULTILINE))
    assert "://" not in lock
    asked = (ROOT / "requirements-docs.in").read_text(encoding="utf-8")
    for line in asked.splitlines():
        if requirement := line.partition("#")[0].strip():
            parsed = Requirement(requirement)
            assert pins[parsed.name] in parsed.specifier


def test_a_list_below_a_paragraph_is_a_list_in_the_site_too() -> None:
    text = "Text:\n- one\n  more\n- two\n\nText\n1. one\n2. two\n```sh\na\n- b\n```\n"
    parted = "Text:\n\n- one\n  more\n- two\n\nText\n\n1. one\n2. two\n```sh\na\n- b\n```\n"
    assert hook("beside").parted(text) == parted
