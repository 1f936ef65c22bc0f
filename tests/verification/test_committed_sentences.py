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
