"""The report's text holds no result that somebody typed, and an unknown name is an error with a place."""

import json
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from committed_support import ROOT, committed

from dgr.core.errors import DGRError
from dgr.report.gathering import report_names
from dgr.report.text import filled_text

TEXTS = sorted((ROOT / "report").glob("*.md"))
NUMBER_WORDS = "five|six|seven|eight|nine|ten|eleven|twelve|fifteen|sixteen|twenty|thirty|fifty|hundred|thousand"
NEEDED = ("paper_configs", "plan.json", "suites", "results", "figures", "dvc.lock")
NEEDED += ("CITATION.cff", "pyproject.toml", "requirements.lock")
NAMES = cache(report_names)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed results with the text as it is now."""
    root = tmp_path_factory.mktemp("checkout")
    for name in NEEDED:
        whole = committed() / name
        (shutil.copytree if whole.is_dir() else shutil.copy)(whole, root / name)
    shutil.copytree(ROOT / "report", root / "report")
    return root


@pytest.fixture
def at_the_top(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(checkout)
    return checkout


@pytest.fixture
def names_once(at_the_top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of all suites are read once for tests that change the text alone."""
    monkeypatch.setattr("dgr.report.text.report_names", NAMES)


@pytest.fixture
def edited(at_the_top: Path) -> Iterator[dict[Path, str]]:
    """Files to be put back, by path."""
    before: dict[Path, str] = {}
    yield before
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")


def edit(edited: dict[Path, str], path: Path, old: str, new: str) -> None:
    text = edited.setdefault(path, path.read_text(encoding="utf-8"))
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def prose(path: Path) -> str:
    """A text without what is put in, code, addresses, and the numbers of lists."""
    text = path.read_text(encoding="utf-8")
    for gone in (r"(?s)\{#.*?#\}", r"(?s)\{\{.*?\}\}", r"(?s)\{%.*?%\}", r"(?s)```.*?```", r"`[^`]*`", r"\]\([^)]*\)"):
        text = re.sub(gone, "§", text)
    return re.sub(r"(?m)^\d+\. ", "", text)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_number_is_typed(path: Path) -> None:
    # Digits within a name stay, such as T1, ResNet-50, x86-64.
    assert re.findall(r"(?<![\w-])[-+−±.]?\d[\d.,]*", prose(path)) == []
    assert re.findall(rf"\b(?:{NUMBER_WORDS})\b", prose(path), re.IGNORECASE) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_verdict_is_typed(path: Path) -> None:
    """In the prose; what a verdict means is told under *Verdicts*, in bold, and nowhere else."""
    told = re.sub(r"\*\*(?:supported|opposite|undecided|no relevant\s+difference|assay failed)\*\*", "", prose(path))
    assert re.findall(r"\b(?:supported|opposite|undecided|contradicted|significant)\b", told) == []


def test_a_number_is_that_of_its_record(edited: dict[Path, str]) -> None:
    table = Path("results/mini/tables/claims.json")
    told = {row[0]: row for row in json.loads(table.read_text(encoding="utf-8"))["rows"]}["C2a"]
    assert told[4] in filled_text()
    edit(edited, table, json.dumps(told[4])[1:-1], "+9.87 units")
    text = filled_text()
    assert "+9.87 units" in text
    assert told[4] not in text


def test_words_follow_the_verdict(edited: dict[Path, str]) -> None:
    sentence = "DGR improved on the method alone"
    table = Path("results/mini/tables/claims.json")
    data = json.loads(table.read_text(encoding="utf-8"))
    edited[table] = table.read_text(encoding="utf-8")
    for row in data["rows"]:
        row[-1] = "opposite"
    table.write_text(json.dumps(data), encoding="utf-8")
    text = filled_text()
    assert sentence not in text
    assert "DGR did worse than the method alone" in text
    assert "half of the training data, was not found" in text


def test_a_suite_is_named_as_not_run_until_it_is(edited: dict[Path, str]) -> None:
    def not_run() -> str:
        return next(line for line in filled_text().splitlines() if line.startswith("Not run yet are the suites"))

    assert "`faces_gpu`" in not_run()
    assert "`mini`" not in not_run()
    made = Path("results/summaries/faces_gpu.json")
    made.write_text("{}", encoding="utf-8")
    try:
        assert "`faces_gpu`" not in not_run()
        assert "**faces_gpu** has been run and decides no claim" in filled_text()
    finally:
        made.unlink()


def test_what_is_declared_and_not_decided_is_not_run(edited: dict[Path, str]) -> None:
    table = Path("results/mini/tables/claims.json")
    edited[table] = table.read_text(encoding="utf-8")
    data = json.loads(edited[table])
    kept = [place for place, row in enumerate(data["rows"]) if row[0] != "C2a"]
    data |= {name: [data[name][place] for place in kept] for name in ("rows", "records", "groups")}
    table.write_text(json.dumps(data), encoding="utf-8")
    assert "| the method alone, in the mean over methods | **not run** |" in filled_text()


@pytest.mark.usefixtures("names_once")
@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("claims.mini.C2q.difference", r"names 'claims\.mini\.C2q', which no record has; did you mean"),
        ("claims.mini.C2a.differense", r"names 'claims\.mini\.C2a\.differense'.*did you mean 'difference'\?"),
        ("claims.maxi.C2a", r"names 'claims\.maxi', which no record has; known: mini, "),
        ("settings.mini.multimnist", r"names 'settings\.mini\.multimnist'"),
        ("known.faces.smiles", r"names 'known\.faces\.smiles'"),
        ("nothing", r"'nothing' is undefined"),
        ('figure("mini", "F77")', r"shows 'F77' of suite 'mini', which is not planned"),
        ('table("mini", "T1", ["Delta"])', r"shows the column 'Delta' of results/mini/tables/T1\.json"),
    ],
)
def test_an_unknown_name_is_an_error_with_its_line(edited: dict[Path, str], reference: str, sentence: str) -> None:
    text = Path("report/report.md")
    edit(edited, text, "## Summary\n", "## Summary\n{{ " + reference + " }}\n")
    line = text.read_text(encoding="utf-8").splitlines().index("{{ " + reference + " }}") + 1
    with pytest.raises(DGRError, match=rf"^report/report\.md, line {line}: .*{sentence}"):
        filled_text()


@pytest.mark.usefixtures("names_once")
def test_a_broken_template_is_one_sentence(edited: dict[Path, str]) -> None:
    edit(edited, Path("report/data_statement.md"), "{{ f.files }}", "{{ f.files }")
    with pytest.raises(DGRError, match=r"data_statement\.md, line \d+: .*; mend it there"):
        filled_text()


@pytest.mark.usefixtures("names_once")
def test_a_missing_text_is_one_sentence(at_the_top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = Path("report/artefact.md").rename("artefact.md")
    try:
        with pytest.raises(DGRError, match=r"report/artefact\.md is missing"):
            filled_text()
    finally:
        moved.rename("report/artefact.md")
