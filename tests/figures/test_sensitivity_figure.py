from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_figures import clipped_entries, laid_out, legends
from matplotlib.figure import Figure

from dgr.figures.sensitivity import build
from dgr.figures.shared.size_panel import SHOWN_BESIDE
from dgr.training.configuration import SweepConfig


def titles(figure: Figure) -> list[str]:
    return [axis.get_title(loc="left") for axis in figure.axes]


def test_six_panels(opened: Any) -> None:
    drawing = build(opened("F3"))
    assert [title[:3] for title in titles(drawing.figure)] == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"]
    assert not any("not studied" in text.get_text() for axis in drawing.figure.axes for text in axis.texts)
    strength = drawing.figure.axes[0]
    dgr = next(line for line in strength.lines if line.get_label() == "DGR, against λ")
    # The point of the estimator's sweep with the usual settings is one of the curve, and is not counted twice.
    assert list(dgr.get_xdata()) == [0.01, 0.1, 10.0]
    assert list(dgr.get_ydata()) == pytest.approx([90.5, 90.5, 20.0])
    assert [text.get_text() for text in strength.texts] == ["20"], "a mean below the panel stands at its edge"
    for part in ("n = 2 seeds", "no test is made", "shrinking z explains"):
        assert part in drawing.caption


def test_every_run_of_the_arms_that_are_shown_is_in_the_scatter(opened: Any) -> None:
    scope = opened("F3")
    size = build(scope).figure.axes[1]
    shown = sum(len(np.asarray(group.get_offsets())) for group in size.collections)
    beside = [entry for entry in scope.runs.values() if entry["regularizer"]["name"] in SHOWN_BESIDE]
    main = sum(len(entry["seeds"]) for entry in beside if entry["method"]["name"] != "single_task")
    assert main
    points = sum(len(SweepConfig(**entry).points()) for entry in scope.sweeps.values())
    assert shown >= main + 2 * (points - 1), "all but the usual point that two sweeps share"


def test_a_representation_that_vanished_leaves_the_layout_whole(opened: Any) -> None:
    """‖z‖ = 0 on a logarithmic axis, with its accuracy below the panel: marked at the left edge."""
    scope = opened("F3")
    sweeps = scope.records.sweeps.copy()
    vanished = sweeps["settings"].str.contains("10.0") & (sweeps["metric"] == "mean_norm")
    assert vanished.any()
    sweeps.loc[vanished, "value"] = 0.0
    figure = build(replace(scope, records=replace(scope.records, sweeps=sweeps))).figure
    figure.draw_without_rendering()
    size, below = figure.axes[1], figure.axes[3]
    assert [text.get_text() for text in size.texts] == ["20"]
    assert size.texts[0].xy[0] == size.get_xlim()[0]
    assert below.get_tightbbox().y1 < size.xaxis.label.get_window_extent().y0


def test_no_legend_covers_a_point_or_is_cut_off(opened: Any) -> None:
    figure = laid_out(build(opened("F3")).figure)
    assert clipped_entries(figure) == []
    assert [bool(panel.get_legend()) for panel in figure.axes] == [True] * 4 + [False] * 2
    for legend in legends(figure):
        for panel in figure.axes:
            for taken in (panel.get_window_extent(), panel.xaxis.label.get_window_extent()):
                assert not legend.get_window_extent().overlaps(taken)


def test_what_was_not_studied_says_so(opened: Any) -> None:
    figure = build(opened("F3", ["strength"])).figure
    empty = [axis for axis in figure.axes if any(text.get_text() == "not studied" for text in axis.texts)]
    assert titles(figure)[2:] == [axis.get_title(loc="left") for axis in empty]
