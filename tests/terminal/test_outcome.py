"""What came out, in plain words."""

from pathlib import Path

import pytest

from dgr.terminal.outcome import place_lines, verdict_lines

ROOT = Path(__file__).parents[2]
ROWS = """claim,about,verdict
C1,paper,supported
C1,paper,undecided
C1,paper,undecided
C2,paper,no relevant difference
C2x,control,opposite
P0,own,assay failed
"""


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_each_claim_is_one_line_with_its_verdicts_in_plain_words(tmp_path):
    table = tmp_path / "claims.csv"
    table.write_text(ROWS)
    assert list(verdict_lines(table)) == [
        "  What papers claim:",
        "    C1    Universality: 2 undecided, 1 as claimed",
        "    C2    Multi-task prediction: no difference that matters",
        "  The same against simpler controls:",
        "    C2x   Multi-task prediction: the opposite of what is claimed",
        "  Own questions and positive controls:",
        "    P0    Positive control: not decidable (positive control not found)",
    ]


def test_a_suite_without_claims_says_so(tmp_path):
    assert list(verdict_lines(tmp_path / "claims.csv")) == ["  It decides no claim."]


def test_only_places_that_are_there_are_named():
    assert list(place_lines("nothing")) == []
    assert any(line.endswith("results/mini/tables") for line in place_lines("mini"))
