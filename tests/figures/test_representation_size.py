"""F7: the panel of F3 alone, for the method that was swept."""

from typing import Any

import numpy as np
from drawn_figures import clipped_entries, laid_out, legends

from dgr.figures.representation_size import build
from dgr.figures.shared.size_panel import SHOWN_BESIDE
from dgr.training.configuration import SweepConfig


def test_every_run_of_the_swept_method_is_shown_and_no_other(opened: Any) -> None:
    scope = opened("F7")
    (axis,) = build(scope).figure.axes
    points = [point for entry in scope.sweeps.values() for point in SweepConfig(**entry).points()]
    (swept,) = {SweepConfig(**entry).run.method.name for entry in scope.sweeps.values()}
    beside = [entry for entry in scope.runs.values() if entry["regularizer"]["name"] in SHOWN_BESIDE]
    main = sum(len(entry["seeds"]) for entry in beside if entry["method"]["name"] == swept)
    assert main
    shown = sum(len(np.asarray(group.get_offsets())) for group in axis.collections)
    assert shown == main + 2 * (len(points) - 1), "two sweeps share the usual point"


def test_the_caption_stands_alone_and_the_legend_covers_nothing(opened: Any) -> None:
    drawing = build(opened("F7"))
    for part in ("n = 2 seeds", "No test is made", "shrinking z explains", "triangles at the edge"):
        assert part in drawing.caption
    figure = laid_out(drawing.figure)
    assert clipped_entries(figure) == []
    (axis,), (legend,) = figure.axes, legends(figure)
    for taken in (axis.get_window_extent(), axis.xaxis.label.get_window_extent()):
        assert not legend.get_window_extent().overlaps(taken)
