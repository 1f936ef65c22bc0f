"""F6: a mark for each case, told apart in the legend."""

from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.colors import to_hex

from dgr.figures.step_cost import build


def test_each_kind_of_case_has_a_look_of_its_own(opened: Any) -> None:
    scope = opened("F1")
    costs = scope.records.costs
    more = costs[costs["regularizer"] == "authors"].assign(num_dummies=4)
    (legend,) = build(replace(scope, records=replace(scope.records, costs=pd.concat([costs, more])))).figure.legends
    assert sorted(text.get_text() for text in legend.get_texts()) == [
        "+ DGR as released, N = 1",
        "+ DGR as released, N = 4",
        "+ DGR, N = 1",
        "+ DGR, N = 4",
        "alone",
    ]
    looks = {
        (mark.get_marker(), to_hex(mark.get_color()), str(mark.get_markerfacecolor())) for mark in legend.legend_handles
    }
    assert len(looks) == 5
