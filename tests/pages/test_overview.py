"""The figure over all suites: each row's place on the axis and the verdicts beside it, from made-up suites."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from audit_support import CLAIM, SUITE
from committed_support import committed
from drawn_figures import clipped_entries, laid_out, legends
from matplotlib.text import Text

from dgr.claims import CLAIMS_FILE, load_claims, own_tests
from dgr.config.plan_file import read_plan
from dgr.pages.overview import MAIN_TESTS, _drawing, _row, write_overview
from dgr.pages.suite_claims import decided_suites, decided_tests
from dgr.tables.shared.differences import DIFFERENCES

OTHER = "faces"
FOUND = {"n": 2, "difference": 1.0, "low": 0.5, "high": 1.5, "verdict": "supported", "reason": ""}


def decide(suite: str, rows: list[dict[str, object]], seeds: dict[str, list[float]]) -> None:
    folder = Path("results") / suite / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / "claims.csv", index=False)
    DIFFERENCES.mkdir(exist_ok=True)
    found = [(name, "", seed, value) for name, values in seeds.items() for seed, value in enumerate(values)]
    frame = pd.DataFrame(found, columns=["comparison", "method", "seed", "difference"])
    frame.to_csv(DIFFERENCES / f"{suite}.csv", index=False)


@pytest.fixture
def two_suites(checkout: Path) -> Path:
    plan = json.loads(Path("plan.json").read_text())
    Path("plan.json").write_text(json.dumps(plan | {"audits": {SUITE: {}, OTHER: {}}}))
    claim = json.loads(json.dumps(CLAIM))
    claim["comparisons"][1] |= {"measure": "refitted_loss", "direction": "lower", "region": 0.02}
    Path("paper_configs/claims.yaml").write_text(yaml.safe_dump({"claims": [claim]}))
    smaller = {"n": 2, "difference": -0.03, "low": -0.05, "high": -0.01, "verdict": "supported", "reason": ""}
    rows = [{"comparison": "C2a", **FOUND}, {"comparison": "C2b", **smaller}]
    decide(SUITE, rows, {"C2a": [0.25, 1.75], "C2b": [-0.02, -0.04]})
    decide(OTHER, [{"comparison": "C2a", **FOUND, "verdict": "opposite"}], {"C2a": [0.0, 2.0]})
    return checkout


def rows(short: bool = False) -> dict[str, Any]:
    decided = decided_suites(read_plan())
    differences = pd.read_csv(DIFFERENCES / f"{SUITE}.csv", keep_default_na=False)
    return {
        test.comparison.id: _row(test, decided, differences, short)
        for test in decided_tests(decided)
        if not short or test.comparison.id in MAIN_TESTS
    }


def test_effects_are_in_units_of_the_region_and_to_the_right_for_the_claim(two_suites) -> None:
    higher, lower = rows()["C2a"], rows()["C2b"]
    assert (higher.low, higher.effect, higher.high) == (1.0, 2.0, 3.0)  # region 0.5
    assert higher.seeds == [0.5, 3.5]
    assert (lower.low, lower.effect, lower.high) == pytest.approx((0.5, 1.5, 2.5))  # a smaller loss speaks for it
    assert lower.seeds == pytest.approx([1.0, 2.0])


def test_the_verdicts_of_every_suite_stand_beside_it(two_suites) -> None:
    assert rows()["C2a"].verdicts == ["supported", "opposite"]
    assert rows()["C2a"].home == 0
    assert rows()["C2b"].verdicts == ["supported", None]


def test_the_same_bytes_every_time_and_without_any_verdict_too(two_suites) -> None:
    first = {path.name: path.read_bytes() for path in write_overview()}
    assert set(first) == {
        f"{name}{suffix}" for name in ("overview", "overview-all") for suffix in (".pdf", ".png", ".svg")
    }
    assert {path.name: path.read_bytes() for path in write_overview()} == first
    assert b"All 2 tests of claims that a suite has decided." in first["overview-all.svg"]
    main = first["overview.svg"]
    assert b"1 of 2 tests of claims: " in main  # C2a alone is a main claim
    assert b"chosen by hand when first results were known; figures/overview-all has every test" in main
    assert b"chosen" not in first["overview-all.svg"]
    for folder in (SUITE, OTHER):
        Path(f"results/{folder}/tables/claims.csv").unlink()
    write_overview()
    assert b"No claim has been decided yet" in Path("figures/overview.svg").read_bytes()


def test_a_row_tells_how_many_tests_of_its_claim_are_supported(two_suites) -> None:
    assert rows(short=True)["C2a"].supported == "2 of 2"
    decide(SUITE, [{"comparison": "C2a", **FOUND}, {"comparison": "C2b", **FOUND, "verdict": "undecided"}], {})
    assert rows(short=True)["C2a"].supported == "1 of 2"
    assert rows()["C2a"].supported == ""


def test_the_figure_says_what_its_axis_frames_and_rows_are(two_suites) -> None:
    """A suite that decides none of the rows has no column."""
    decide(OTHER, [{"comparison": "C2b", **FOUND}], {})
    decided = decided_suites(read_plan())
    tests = decided_tests(decided)
    main = _drawing(tests[:1], decided, "One.", short=True)
    axis, strip = main.figure.axes
    assert [text.get_text() for text in strip.texts if text.get_rotation()] == [SUITE]
    assert "logarithmic beyond ±1" in axis.get_xlabel()
    assert "framed: suite of the effect" in [text.get_text() for text in legends(main.figure)[0].get_texts()]
    assert [text.get_text() for text in axis.texts if text.get_rotation()] == ["supported"]
    assert "One. Left:" in main.caption
    assert f"the verdicts of the suites {SUITE} on the same claim; the framed one" in main.caption
    every = _drawing(tests, decided, "All.", short=False)
    assert [text.get_text() for text in every.figure.axes[1].texts if text.get_rotation()] == [SUITE, OTHER]


@pytest.mark.parametrize("short", [True, False], ids=["main", "all"])
def test_of_the_committed_claims_all_is_on_the_page_and_told_apart(monkeypatch, short) -> None:
    monkeypatch.chdir(committed())
    decided = decided_suites(read_plan())
    tests = [test for test in decided_tests(decided) if not short or test.comparison.id in MAIN_TESTS]
    figure = laid_out(_drawing(tests, decided, "", short).figure)
    numbers = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(numbers) == len(set(numbers)) == len(tests) > 20
    assert clipped_entries(figure) == []
    page = figure.bbox
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text():
            box = text.get_window_extent()
            assert page.x0 <= box.x0 < box.x1 <= page.x1, text.get_text()
            assert page.y0 <= box.y0 < box.y1 <= page.y1, text.get_text()
            assert text.get_text().count("\n") < 2, "no label reaches into the next row"
    marked = {text.get_position()[0] for text in figure.axes[1].texts if not text.get_rotation()}
    assert len(marked) == sum(bool(text.get_rotation()) for text in figure.axes[1].texts)


def test_every_main_claim_is_one_of_the_claims(monkeypatch) -> None:
    monkeypatch.chdir(committed())
    known = {comparison.id for claim in load_claims(CLAIMS_FILE).claims for comparison in own_tests(claim).comparisons}
    assert set(MAIN_TESTS) <= known
