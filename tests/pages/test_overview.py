"""The figure over all suites: each row's place on the axis and the verdicts beside it, from made-up suites."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from audit_support import CLAIM, SUITE
from committed_support import committed

from dgr.claims import CLAIMS_FILE, load_claims, own_tests
from dgr.config.plan_file import read_plan
from dgr.pages.overview import MAIN_TESTS, _row, write_overview
from dgr.pages.suite_claims import decided_suites, decided_tests
from dgr.tables.shared.differences import DIFFERENCES

OTHER = "faces"


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
    found = {"n": 2, "difference": 1.0, "low": 0.5, "high": 1.5, "verdict": "supported", "reason": ""}
    smaller = {"n": 2, "difference": -0.03, "low": -0.05, "high": -0.01, "verdict": "supported", "reason": ""}
    rows = [{"comparison": "C2a", **found}, {"comparison": "C2b", **smaller}]
    decide(SUITE, rows, {"C2a": [0.25, 1.75], "C2b": [-0.02, -0.04]})
    decide(OTHER, [{"comparison": "C2a", **found, "verdict": "opposite"}], {"C2a": [0.0, 2.0]})
    return checkout


def rows() -> dict[str, object]:
    decided = decided_suites(read_plan())
    differences = pd.read_csv(DIFFERENCES / f"{SUITE}.csv", keep_default_na=False)
    return {test.comparison.id: _row(test, decided, differences, short=False) for test in decided_tests(decided)}


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
    assert b"2 tests of claims" in first["overview-all.svg"]
    assert b"1 tests of claims" in first["overview.svg"]  # C2a alone is a main claim
    for folder in (SUITE, OTHER):
        Path(f"results/{folder}/tables/claims.csv").unlink()
    write_overview()
    assert b"No claim has been decided yet" in Path("figures/overview.svg").read_bytes()


def test_every_main_claim_is_one_of_the_claims(monkeypatch) -> None:
    monkeypatch.chdir(committed())
    known = {comparison.id for claim in load_claims(CLAIMS_FILE).claims for comparison in own_tests(claim).comparisons}
    assert set(MAIN_TESTS) <= known
