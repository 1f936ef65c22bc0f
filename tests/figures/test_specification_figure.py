"""M1: each specification once in the upper and once a choice in the lower panels."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from specification_records import CHOICES, EIGHT, noisy, scope_of, specification_file

from dgr.core.errors import DGRError
from dgr.figures.specification_curve import RESULT_COLOURS, build
from dgr.records.specification_effects import specification_effects


def gains(choices, name):
    return {"dgr": 0.03 if choices["width"] == "wide" else -0.002, "norm": 0.001}.get(name, 0.0)


def points(axis):
    return np.vstack([np.asarray(each.get_offsets()) for each in axis.collections if len(each.get_offsets())])


def test_effects_are_sorted_and_coloured_by_their_result():
    scope = scope_of(specification_file(), noisy(gains, 0.0002))
    drawing = build(scope)
    upper, _, lower, _ = drawing.figure.axes
    effects = sorted(specification_effects(scope)["dgr_alone"], key=lambda effect: effect.mean)
    drawn = upper.collections[1]
    assert np.asarray(drawn.get_offsets()).tolist() == [[x, effect.mean] for x, effect in enumerate(effects)]
    colours = [to_hex(colour).upper() for colour in drawn.get_facecolors()]
    assert colours == [RESULT_COLOURS[effect.result] for effect in effects]
    assert {effect.result for effect in effects} == {"above region", "equivalent"}
    assert [text.get_text() for text in drawing.figure.legends[0].texts] == [
        "better, beyond the region",
        "no relevant difference",
        "region",
    ]
    labels = [label.get_text() for label in lower.get_yticklabels()]
    assert labels == ["width", "narrow", "wide", "epochs", "short", "long", "rate", "usual", "double"]
    assert len(points(lower)) == 4 * len(CHOICES), "one mark a specification and choice"
    wide = labels.index("wide")
    at_wide = [x for x, y in points(lower) if y == pytest.approx(lower.get_yticks()[wide])]
    assert at_wide == [x for x, effect in enumerate(effects) if effect.choices["width"] == "wide"]


def test_a_collapsed_arm_stands_at_the_edge_and_leaves_the_scale():
    def collapsed(choices, name):
        lost = name == "dgr" and tuple(choices.values())[:3] == ("wide", "long", "double")
        return -0.5 if lost else gains({"width": "narrow"}, name)

    drawing = build(scope_of(specification_file(choices=EIGHT), noisy(collapsed, 0.002)))
    upper = drawing.figure.axes[0]
    low, high = upper.get_ylim()
    assert -5 < low < high < 5
    assert points(upper)[:, 1].min() == pytest.approx(low)
    assert "Triangles at the edge: 2 effects farther out (−5" in drawing.caption


def test_the_caption_stands_alone_and_names_what_diverged():
    usual = noisy(gains)

    def accuracy(choices, arm, seed, split):
        lost = choices["width"] == "wide" and arm["name"] == "norm"
        return None if lost else usual(choices, arm, seed, split)

    drawing = build(scope_of(specification_file(), accuracy))
    titles = [axis.get_title(loc="left") for axis in drawing.figure.axes[:2]]
    assert titles == ["(a) DGR vs. alone, n = 4", "(b) DGR vs. ‖z‖² penalty, n = 2"]
    for part in (
        "4 specifications of 8",
        "Latin square",
        "3 seeds",
        "±0.5 points",
        "norm in wide short double, wide",
    ):
        assert part in drawing.caption, part


def test_no_effect_that_is_left_is_refused():
    def accuracy(choices, arm, seed, split):
        return None if arm["name"] == "norm" else 0.8

    with pytest.raises(DGRError, match=r"^M1 shows DGR against no regularizer or the norm penalty, and no effect"):
        build(scope_of(specification_file(), accuracy))
