"""M1 to M3 of made-up specifications whose effects are known."""

import numpy as np
import pytest
from specification_records import CHOICES, EIGHT, noisy, scope_of, specification_file

from dgr.core.errors import DGRError
from dgr.tables import specification_choices, specification_curve, specification_list
from dgr.tables.shared.rendering import to_latex, to_markdown
from dgr.tables.shared.specification_texts import design_text

WIDE = 0.03


def gains(choices, name):
    """DGR gains three points where the encoder is wide, and loses three where it is narrow."""
    return {"dgr": WIDE if choices["width"] == "wide" else -WIDE, "norm": 0.001}.get(name, 0.0)


def test_shares_are_those_of_the_specifications():
    scope = scope_of(specification_file(), noisy(gains, 0.0005))
    table = specification_curve.build(scope)
    row = table.data.set_index("question").loc["dgr_alone"]
    assert row["n"] == 4
    assert row["median"] == pytest.approx(0.0, abs=0.2)
    assert (row["smallest"], row["largest"]) == pytest.approx((-3, 3), abs=0.2)
    for column in ("above_zero", "above_region", "below_region", "interval_above_zero", "interval_below_region"):
        assert row[column] == 0.5, column
    assert (row["equivalent"], row["diverged"]) == (0, 0)
    norm = table.data.set_index("question").loc["norm_alone"]
    assert norm["equivalent"] == 1
    assert norm["above_region"] == 0
    first = table.text.iloc[0]
    assert first["Question"] == "DGR vs. alone"
    assert (first["Above 0"], first["Above +0.5"], first["Interval below 0"]) == ("50 %", "50 %", "50 %")
    notes = " ".join(table.notes)
    for part in ("4 specifications of 8 combinations of width (2), epochs (2), rate (2)", "of rate one option each",
                 "3 seeds (0, 1, 2)", "DGR 0.1, 0.5; norm 0.01", "±0.5 points"):  # fmt: skip
        assert part in notes, part
    assert "Diverged" not in notes
    for text in (to_markdown(table, "M1"), to_latex(table, "tab:M1")):
        assert "DGR vs. alone" in text


def test_two_choices_are_counted_together(monkeypatch):
    scope = scope_of(specification_file(), noisy(gains, 0.0005))
    assert not [note for note in specification_curve.build(scope).notes if "Looked at after" in note]
    monkeypatch.setattr(specification_curve, "TOGETHER", ("width", "epochs"))
    (note,) = [note for note in specification_curve.build(scope).notes if "Looked at after" in note]
    wide, narrow = "1 above and 0 below 0 of 1", "0 above and 1 below 0 of 1"
    counts = note.split("by width and epochs. ")[1].rstrip(".").lower().split("; ")
    assert sorted(counts) == sorted(
        [f"narrow, short: {narrow}", f"narrow, long: {narrow}", f"wide, short: {wide}", f"wide, long: {wide}"]
    )


def test_diverged_specifications_are_counted_named_and_not_averaged():
    usual = noisy(gains, 0.0005)

    def accuracy(choices, arm, seed, split):
        lost = choices["width"] == "wide" and choices["epochs"] == "long" and arm["name"] == "dgr"
        return None if lost and seed == 2 else usual(choices, arm, seed, split)

    scope = scope_of(specification_file(), accuracy)
    table = specification_curve.build(scope)
    row = table.data.set_index("question").loc["dgr_alone"]
    assert (row["n"], row["diverged"]) == (3, 1)
    assert row["above_zero"] == pytest.approx(1 / 3)
    assert table.data.set_index("question").loc["norm_alone", "diverged"] == 0
    assert table.notes[-1].endswith("not among the n: DGR in wide long usual.")
    listed = specification_list.build(scope)
    text = listed.text.set_index(["Width", "Epochs"]).loc[("wide", "long")]
    assert (text["DGR vs. alone"], text["Result: DGR vs. alone"]) == ("–", "diverged")
    assert np.isnan(listed.data.loc[listed.data["dgr_alone_result"] == "diverged", "dgr_alone_difference"]).all()


def test_where_everything_diverged_there_are_dashes():
    table = specification_curve.build(
        scope_of(specification_file(), lambda choices, arm, seed, split: None if arm["name"] == "dgr" else 0.8)
    )
    row = table.text.set_index("Question").loc["DGR vs. alone"]
    assert (row["n"], row["Median"], row["Above 0"], row["Diverged"]) == ("0", "–", "–", "4")


def test_every_specification_has_a_row_that_leads_to_its_record():
    scope = scope_of(specification_file(), noisy(gains))
    table = specification_list.build(scope)
    assert table.records == [[key] for key in scope.specifications]
    assert list(table.text["Width"]) == [entry["choices"]["width"] for entry in scope.specifications.values()]
    assert list(table.data["dgr_alone_n"]) == [3, 3, 3, 3]


def test_the_regression_finds_the_choice_that_matters():
    scope = scope_of(specification_file(choices=EIGHT), noisy(gains, 0.0005))
    table = specification_choices.build(scope)
    data = table.data.set_index(["choice", "option"])
    assert data.loc[("width", "wide"), "dgr_alone_value"] == pytest.approx(3, abs=0.2)
    assert data.loc[("width", "narrow"), "dgr_alone_value"] == pytest.approx(-3, abs=0.2)
    assert data.loc[("width", "wide"), "dgr_alone_low"] > 2.5
    assert data.loc["mean", "dgr_alone_value"].item() == pytest.approx(0, abs=0.2)
    shares = data["dgr_alone_share"].groupby(level="choice").first()
    assert shares["width"] > 0.98
    assert shares.drop("mean").sum() == pytest.approx(1), "the design is balanced"
    assert list(table.text["Choice"])[:3] == ["mean", "width", ""]
    assert "3 degrees of freedom" in " ".join(table.notes)


def test_noise_of_seeds_is_its_share_of_the_variance():
    """Where nothing but seeds differs, their noise is about all of the variance, and the rest most of it."""
    choices = {f"c{number}": {"a": {}, "b": {}} for number in range(7)}
    file = specification_file(choices=choices, balanced="c6", seeds=[0, 1, 2, 3, 4])
    table = specification_choices.build(scope_of(file, noisy(lambda chosen, name: 0.0)))
    noise = [int(note.split(" % noise")[0].split()[-1]) for note in table.notes[3].split(";") if "% noise" in note]
    assert len(noise) == 2
    # A variance of 64 means has a relative standard error of √(2/63) = 18 %.
    assert all(46 < share < 154 for share in noise), noise


def test_too_few_specifications_for_a_regression_are_refused():
    with pytest.raises(DGRError, match=r"^4 specifications cannot tell 4 effects of choices from noise"):
        specification_choices.build(scope_of(specification_file(), noisy(gains)))


def test_a_whole_grid_says_nothing_of_a_square():
    file = specification_file(choices={"width": CHOICES["width"], "rate": {"usual": {}}})
    text = design_text(scope_of(file, noisy(gains)))
    assert text == "2 specifications of 2 combinations of width (2), rate (1). They were chosen before any run."
