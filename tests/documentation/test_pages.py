"""What the pages say of the code: names, messages, exhibits, commands, and files of the repository."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
from docs_pages import DOCS, ROOT

import dgr
from dgr.cli import app
from dgr.figures.registry import DRAWN
from dgr.tables.registry import TABLES

PAGES = sorted(DOCS.glob("*.md"))
TROUBLES = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^\| `([^`]+)` \|", TROUBLES, re.MULTILINE)
FOREIGN = {"Unable to acquire lock"}
"""Of DVC."""


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@cache
def sentences() -> str:
    """Every text in the code, with a mark where a value stands."""

    def written(node: ast.AST) -> str:
        if isinstance(node, ast.JoinedStr):
            return "".join(map(written, node.values))
        return str(node.value) if isinstance(node, ast.Constant) else "…"

    files = [*(ROOT / "src/dgr").rglob("*.py"), *(DOCS / "hooks").glob("*.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    found = [written(node) for node in nodes if isinstance(node, ast.JoinedStr | ast.Constant)]
    return "\n".join([*found, (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(PYTHON)", "…")])


def test_the_api_lists_the_public_names() -> None:
    named = re.findall(r"^::: dgr\.(\w+)$", text("api.md"), re.MULTILINE)
    assert sorted([*named, "__version__"]) == sorted(dgr.__all__)


@pytest.mark.parametrize("message", sorted({*MESSAGES} - FOREIGN))
def test_a_message_is_one_of_the_code(message: str) -> None:
    assert message in sentences()


def test_messages_are_told_apart() -> None:
    assert len(MESSAGES) == len(set(MESSAGES)) > 25


def test_the_list_of_tables_and_figures_is_complete() -> None:
    (rows,) = re.findall(r"## Tables and figures\n(.*?)\n## ", text("reading.md"), re.DOTALL)
    named = set(re.findall(r"\b[A-Z]\d\b", " ".join(re.findall(r"^\| (.*?) \|", rows, re.MULTILINE))))
    declared = {name for kind in (TABLES, DRAWN) for file in kind for name in kind.declared(file, "NAMES")}
    studies = {
        entry["name"]
        for plan in ROOT.glob("suites/*/plan.json")
        for entry in json.loads(plan.read_text(encoding="utf-8")).get("study_reports", {}).values()
    }
    assert {"S3", "W3"} <= studies
    assert named >= declared - {"claims"} | studies


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_and_commands_that_a_page_names_exist(page: Path) -> None:
    words = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:src|tests|docs|paper_configs|profiles|benchmarks)/[^` ]*)`", words):
        shape = re.sub(r"\b[A-Z]+\b", "*", path.split(":")[0])
        shown_here = f"**`{path}`**" in words
        assert shown_here or list(ROOT.glob(shape)), path
    parts = [app, *(group.typer_instance for group in app.registered_groups)]
    commands = [command for part in parts for command in part.registered_commands]
    known = {command.name or command.callback.__name__.replace("_", "-") for command in commands}
    code = " \n".join(re.findall(r"`[^`\n]+`|```sh\n.*?```", words, re.DOTALL))
    assert set(re.findall(r"(?:`|^|-m )dgr ([a-z][a-z-]+)", code, re.MULTILINE)) <= known
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", code)) <= targets


@pytest.mark.parametrize("page", [*PAGES, *map(ROOT.joinpath, ("README.md", "CONTRIBUTING.md"))], ids=lambda p: p.name)
def test_links_of_the_sources_lead_to_files_and_headings(page: Path) -> None:
    """As GitHub shows them, also where no site is built."""
    words = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for path, anchor in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)#?([^)\s]*)\)", words):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor and target.suffix == ".md" and not anchor.startswith("dgr."):
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            known = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in known, f"{path}#{anchor}"


def test_the_table_of_rooms_is_complete() -> None:
    rooms = re.findall(r"^\| ([a-z_]+) \|", text("architecture.md").partition("## Glossary")[0], re.MULTILINE)
    assert sorted(rooms) == sorted(path.parent.name for path in (ROOT / "src/dgr").glob("*/__init__.py"))
