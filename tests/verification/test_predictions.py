"""What of a claim must have stood before its results, and what may be told otherwise afterwards."""

from pathlib import Path

import pytest
import yaml

from dgr.verification.history import predictions

CLAIMS = Path(__file__).parents[2] / "paper_configs/claims.yaml"


@pytest.fixture
def claims():
    return yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))


def comparison(claims, id_):
    return next(one for claim in claims["claims"] for one in claim["comparisons"] if one["id"] == id_)


def test_the_sentence_of_a_failed_assay_may_change_and_no_other_conclusion(claims):
    before = predictions(claims)
    told = comparison(claims, "S1b")["reader"] = dict(comparison(claims, "S1b")["reader"])
    told["assay failed"] = "Something else kept us from looking."
    assert predictions(claims) == before
    for verdict in ("supported", "opposite", "no relevant difference", "undecided"):
        told[verdict] += " Or so."
        assert predictions(claims)["S1b"]["reader"] != before["S1b"]["reader"], verdict
        told[verdict] = told[verdict].removesuffix(" Or so.")


@pytest.mark.parametrize("key", ["question", "region_reason"])
def test_how_a_comparison_is_told_may_change(claims, key):
    before = predictions(claims)
    comparison(claims, "S0b")[key] = "told otherwise"
    assert predictions(claims) == before


@pytest.mark.parametrize(("key", "value"), [("region", 0.001), ("bound", 0.98), ("direction", "lower")])
def test_what_decides_may_not(claims, key, value):
    before = predictions(claims)
    comparison(claims, "S0b")[key] = value
    assert {id_ for id_, one in predictions(claims).items() if one != before[id_]} == {"S0b"}


def test_no_sentence_of_a_failed_assay_says_that_there_is_nothing(claims):
    """A control that was not found is not a control that was shown to be absent."""
    sentences = {
        one["reader"]["assay failed"]
        for claim in claims["claims"]
        for one in claim["comparisons"]
        if "reader" in one and "assay failed" in one["reader"]
    }
    assert len(sentences) > 5
    assert {s for s in sentences if not s.startswith("It was not shown that ")} == set()
