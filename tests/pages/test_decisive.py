"""What would decide an open test is told where it is known."""

import pytest

from dgr.claims import StudyComparison
from dgr.pages.decisive import open_question, reason_sentence, seeds_needed

SEEDS = [0.1, 0.3, -0.2, 0.4, 0.2, -0.1, 0.0, 0.5]
ROW = {"verdict": "undecided", "confidence": 0.95, "difference": 0.15}


def comparison(**changes):
    told = {"id": "X1a", "question": "?", "kind": "study", "study": "s-X", "measure": "score", "settings": ["a"]}
    told |= {"levels": [0.1], "direction": "higher", "region": 0.0005, "treatment": "new", "references": ["old"]}
    return StudyComparison(**told | changes)


def test_so_many_seeds_as_the_t_test_needs():
    needed = seeds_needed(SEEDS, 0.05, 0.15)
    assert needed > len(SEEDS)
    assert f"about {needed} seeds in place of 8 would find it" in open_question(comparison(), ROW, SEEDS)


def test_no_number_where_the_signed_rank_test_decides():
    assert open_question(comparison(statistic="median"), ROW, SEEDS) == ""


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ("no relevant difference", "The interval lies within ±0.0005, where a difference is too small to matter."),
        ("undecided", "The interval is neither within ±0.0005 nor wholly outside it."),
    ],
)
def test_the_region_is_told_in_full(verdict, sentence):
    assert reason_sentence(comparison(), {"verdict": verdict}) == sentence
