import pytest

from dgr.verification.tolerance import ValuePair, drifted, spread


def pair(committed: str, again: str, sd: float | None = 1.0, **changes: str) -> ValuePair:
    return ValuePair(
        **{"file": "runs", "quantity": "accuracy", "where": "", **changes}, committed=committed, again=again, spread=sd
    )


@pytest.mark.parametrize(
    ("committed", "again", "sd", "outcome"),
    [
        ("0.5", "0.5", None, "identical"),
        ("1", "1.0", None, "identical"),
        ("", "", None, "identical"),
        ("conv", "conv", None, "identical"),
        ("0.5", "6.4", 1.0, "within tolerance"),
        ("0.5", "6.6", 1.0, "outside"),
        ("0.5", "-5.6", 1.0, "outside"),
        ("100", "100.9", 0.01, "within tolerance"),
        ("100", "101.1", 0.01, "outside"),
        ("100", "104.9", None, "within tolerance"),
        ("100", "105.1", None, "outside"),
        ("0", "0.001", None, "outside"),
        ("0.5", "", 1.0, "outside"),
        ("0.5", "nan", 1.0, "outside"),
        ("conv", "mtan", None, "outside"),
    ],
)
def test_a_number_is_held_against_the_spread_of_other_seeds(
    committed: str, again: str, sd: float | None, outcome: str
) -> None:
    assert pair(committed, again, sd).outcome == outcome


def test_points_in_the_plane_have_no_distance() -> None:
    assert pair("12.1", "-40.0", None, file="embedding").outcome == "within tolerance"
    assert pair("cat", "dog", None, file="embedding").outcome == "outside"


def test_the_spread_is_that_of_the_seeds() -> None:
    assert spread(["1", "2", "3"]) == pytest.approx(1.0)
    assert spread(["1"]) is None
    assert spread(["1", "1"]) is None
    assert spread(["a", "b"]) is None


def test_single_numbers_may_scatter_and_all_together_may_not_drift() -> None:
    scattered = [pair("0", text) for text in ("1.1", "-0.9", "0.8", "-1.0")]
    shifted = [pair("0", text) for text in ("1.1", "0.9", "0.8", "1.0")]
    assert {each.outcome for each in (*scattered, *shifted)} == {"within tolerance"}
    assert drifted(scattered) == []
    assert drifted(shifted) == ["runs: accuracy"]
    assert drifted(shifted[:2]) == [], "two numbers say little"


def test_quantities_are_looked_at_one_by_one() -> None:
    high = [pair("0", text, quantity="loss") for text in ("1.1", "0.9", "0.8", "1.0")]
    low = [pair("0", f"-{other.again}") for other in high]
    assert drifted([*high, *low]) == ["runs: loss", "runs: accuracy"]
