"""What a newcomer meets first: citation, hooks, and a guide whose paths exist."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml

from dgr.verification.citation import PAPERS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Citation File Format 1.2.0, as far as it is used.
SOFTWARE_KEYS = {"cff-version", "title", "message", "type", "license", "version", "authors", "references"}
REFERENCE_KEYS = {
    *("type", "title", "notes", "authors", "year", "doi", "identifiers", "volume", "start", "end"),
    *("journal", "conference", "collection-title"),
}


def test_the_citation_is_valid_and_names_the_papers() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert set(citation) == SOFTWARE_KEYS
    assert citation["cff-version"] == "1.2.0"
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    found = set()
    for paper in citation["references"]:
        assert set(paper) <= REFERENCE_KEYS
        assert paper["type"] in ("article", "conference-paper")
        assert (paper["type"] == "article") == ("journal" in paper) == ("conference" not in paper)
        assert all(set(author) == {"family-names"} for author in paper["authors"])
        (number,) = [one["value"].removeprefix("arXiv:") for one in paper["identifiers"] if one["type"] == "other"]
        found.add((number, paper.get("volume"), paper.get("start"), paper.get("doi")))
    assert found == {
        (number, told.get("volume"), told.get("start"), told.get("doi")) for number, told in PAPERS.items()
    }


def test_hooks_are_tools_of_the_environment_and_need_no_network() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    commands = [hook["entry"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    assert all(shutil.which(command.split()[0]) for command in commands)
    assert {command.split()[0] for command in commands} == {"ruff", "mypy", "snakefmt", "python"}


GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:src|tests|docs|paper_configs|\.ci)/[^` ]*)`", GUIDE)))


@pytest.mark.parametrize("path", PATHS)
def test_every_path_of_the_guide_exists(path: str) -> None:
    """A name in capitals is the reader's choice: its folder must exist, with a file of that kind in it."""
    shape = re.sub(r"\b[A-Z]+\b", "*", path)
    assert [found for found in ROOT.glob(shape) if not found.name.startswith("__")], path


def test_the_guides_names_of_commands_exist() -> None:
    from dgr.cli import app

    parts = [app, *(group.typer_instance for group in app.registered_groups)]
    commands = [command for part in parts for command in part.registered_commands]
    known = {command.name or command.callback.__name__.replace("_", "-") for command in commands}
    assert set(re.findall(r"(?:python -m )?\bdgr ([a-z-]+)", GUIDE)) <= known
    targets = set(re.findall(r"\bmake ([a-z-]+)", GUIDE))
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
