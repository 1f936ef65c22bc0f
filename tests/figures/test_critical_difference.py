"""F4 shows methods alone and with DGR; other arms are in T7."""

import re
from typing import Any

from synthetic import SUITE

from dgr.figures.critical_difference import build
from dgr.records.records import load_records
from dgr.records.scope import open_scope


def test_arms_that_are_not_shown_are_in_no_label(results: Any, plan: dict[str, Any]) -> None:
    assert any(key.endswith("-norm") for key in plan["tuned_runs"])
    plan["figures"][f"{SUITE}-F4"] = {"suite": SUITE, "name": "F4"}
    figure = build(open_scope("figures", SUITE, "F4", plan, load_records(results / "records"))).figure
    (panel,) = figure.axes
    texts = [text.get_text() for text in panel.texts if "difference" not in text.get_text()]
    labels = {re.sub(r" ?\([\d.]+\) ?", "", text) for text in texts}
    assert labels == {"STL", "EW", "EW + DGR", "PCGrad", "PCGrad + DGR"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["no regularizer", "+ DGR", "not told apart"]
