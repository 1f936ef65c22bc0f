"""What `dgr verify` finds of the committed sentences and citation, so that tests are not green beside a red verify."""

import csv

import pytest
from committed_support import committed

from dgr.verification.citation import check_citation
from dgr.verification.prose import check_prose


@pytest.mark.parametrize("check", [check_prose, check_citation])
def test_what_is_committed_passes(check, monkeypatch):
    monkeypatch.chdir(committed())
    finding = check()
    assert finding.problems == []
    assert finding.compared > 3


def test_reasons_of_verdicts_can_be_read_at_once():
    """One had 497 words."""
    tables = sorted(committed().glob("results/*/tables/claims.csv"))
    assert len(tables) >= 5
    reasons = {}
    for path in tables:
        with path.open(encoding="utf-8", newline="") as file:
            reasons |= {f"{path.parts[-3]} {row['comparison']}": row["reason"] for row in csv.DictReader(file)}
    assert any(reasons.values())
    assert {name: reason for name, reason in reasons.items() if len(reason.split()) >= 60} == {}


def test_no_committed_interval_says_another_thing_than_its_verdict():
    """The rule of docs/reading.md, row by row."""
    seen = set()
    for path in committed().glob("results/*/tables/claims.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["low"] and row["region"]]
        for row in rows:
            low, high, region = (float(row[name]) for name in ("low", "high", "region"))
            within, outside = -region < low and high < region, low > region or high < -region
            told = f"{path.parts[-3]} {row['comparison']}: {row['verdict']} with {low}, {high} and ±{region}"
            no_difference = row["expected"] == "no difference"
            against = outside if no_difference else low > 0 or high < 0
            holds = {
                "no relevant difference": within,
                "undecided": not within and not against,
                "supported": within if no_difference else against and not within,
                "opposite": against and not within,
                "assay failed": True,
            }
            assert holds[row["verdict"]], told
            seen.add(row["verdict"])
    assert len(seen) == 5
