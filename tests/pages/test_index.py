import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from audit_page import XHTML, by_id, links, parsed, text, text_of
from audit_support import SUITE
from committed_support import committed

from dgr.core.errors import DGRError
from dgr.pages.audit import write_audit
from dgr.pages.index import write_index
from dgr.pages.summary import write_summary


@pytest.fixture
def indexed(checkout: Path) -> Path:
    """A checkout with the page of one suite, and a second suite that is planned only."""
    plan = json.loads(Path("plan.json").read_text())
    plan |= {"audits": {SUITE: {}, "big": {}}, "studies": {}, "study_reports": {}}
    entry = next(iter(plan["runs"].values())) | {"suite": "big", "dataset": "faces"}
    plan["runs"]["big-faces-conv-single_task-none"] = entry
    plan["figures"]["big-F5"] = {"suite": "big", "name": "F5", "dataset": "faces", "architecture": "conv"}
    Path("plan.json").write_text(json.dumps(plan))
    write_summary(SUITE)
    write_audit(SUITE)
    for name in ("report.html", "report.pdf"):
        Path("results", name).touch()
    return checkout


def index() -> str:
    return write_index().read_text(encoding="utf-8")


def suite_sections(tree) -> list:
    return [section for section in tree.iter(f"{XHTML}section") if section.get("id").startswith("suite-")]


def test_the_verdicts_of_all_claims_come_first_and_lead_to_their_cards(indexed: Path) -> None:
    tree = parsed(index())
    assert next(section.get("id") for section in tree.iter(f"{XHTML}section")) == "claims"
    row = next(element for element in tree.iter(f"{XHTML}tr") if element.get("id") == "claim-C2a")
    assert links(row) == [f"{SUITE}/audit.html#record-C2a"]
    assert "supported" in text(row)


def test_the_figure_of_all_claims_has_an_address_above_their_table(indexed: Path) -> None:
    assert 'id="overview"' not in index()
    Path("figures/overview-all.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 70 90"/>')
    section = by_id(parsed(index()), "claims")
    order = [element.get("id") or element.tag.removeprefix(XHTML) for element in section.iter()]
    assert order.index("overview") < order.index("img") < order.index("table")


def check_links(path: Path) -> None:
    """Every link leads to a file that is there, and to an anchor of it."""
    tree = parsed(path.read_text(encoding="utf-8"))
    anchors: dict[Path, set[str]] = {}
    targets = links(tree)
    assert targets
    for target in targets:
        file, _, anchor = unquote(target).partition("#")
        found = Path(os.path.normpath(path.parent / file)) if file else path
        assert found.is_file(), target
        if anchor:
            if found not in anchors:
                page = found.read_text(encoding="utf-8")  # which are megabytes, and parsed where they are tested
                anchors[found] = set(re.findall(r'<[^<>]* id="([^"]+)"', page))
            assert anchor in anchors[found], target


def test_every_link_leads_somewhere(indexed: Path) -> None:
    index()
    check_links(Path("results/index.html"))


def test_it_is_valid_and_loads_nothing_and_runs_its_own_script(indexed: Path) -> None:
    html = index()
    tree = parsed(html)
    assert len(list(tree.iter(f"{XHTML}script"))) == 1
    assert html.count("script-src ") == 1
    assert "://" not in html
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {element.get("aria-labelledby") for element in tree.iter()} - {None} <= set(ids)


def test_it_tells_what_a_suite_is_and_what_it_found(indexed: Path) -> None:
    shown = text_of(parsed(index()), f"suite-{SUITE}")
    for part in (
        "1 supported 1 undecided",
        "digits with conv",
        "3 methods, 2 regularizers and none",
        "6 configurations with 3 seeds: 18 of 18 trained",
        "T1: main – on the page",
        "F5: learning curves – on the page",
        "T9: unknown",
    ):
        assert part in shown, part


def test_a_suite_without_results_says_so_and_stands_last(indexed: Path) -> None:
    tree = parsed(index())
    shown = text_of(tree, "suite-big")
    assert "Not made yet; snakemake --cores all --config suite=big makes it" in shown
    assert "1 configuration with 3 seeds: 0 of 3 trained" in shown
    assert "F5: learning curves (faces, conv)" in shown
    sections = suite_sections(tree)
    assert [section.get("id") for section in sections] == [f"suite-{SUITE}", "suite-big"]
    assert links(sections[1]) == []


def test_the_same_files_give_the_same_bytes(indexed: Path) -> None:
    assert index() == index()


def test_a_damaged_summary_is_one_sentence(indexed: Path) -> None:
    Path("results/summaries/toy.json").write_text("{")
    with pytest.raises(DGRError, match=r"toy\.json cannot be read .*; run `python -m dgr audit toy`"):
        write_index()


def test_the_committed_index_names_every_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(committed())
    check_links(Path("results/index.html"))
    tree = parsed(Path("results/index.html").read_text(encoding="utf-8"))
    found = {section.get("id").removeprefix("suite-"): text(section) for section in suite_sections(tree)}
    assert set(found) == {path.name for path in Path("paper_configs").iterdir() if path.is_dir()}
    for suite in ("mini", "studies"):
        assert f"Page of suite {suite}" in found[suite]
