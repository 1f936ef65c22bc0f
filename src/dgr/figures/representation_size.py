"""F7: does DGR do more than shrink the representation? Accuracy against the size of z, large and for one method."""

from __future__ import annotations

import seaborn as sns
from matplotlib.figure import Figure

from dgr.figures.shared.accuracy_axis import accuracy_limits, finish_accuracy
from dgr.figures.shared.size_panel import draw_size
from dgr.figures.shared.style import PAGE_WIDTH, RC, Drawing
from dgr.records.names import method_label
from dgr.records.scope import Scope
from dgr.records.sweep_points import VALUE, all_runs, plain_runs, sweep_metric, sweep_points

NAMES = ("F7",)


def build(scope: Scope) -> Drawing:
    """Accuracy of every run of the method that was swept, against the mean ‖z‖ that it arrives at.

    Raises:
        DGRError: there are no studies, a point is missing, or the tasks have different metrics.
    """
    metric, points = sweep_metric(scope), sweep_points(scope)
    method, runs = points[0].method, all_runs(scope)
    runs = runs[runs["method"] == method]
    plain = plain_runs(scope, points)
    level = None if plain is None else metric.scale * float(plain[VALUE].mean())
    low, high = accuracy_limits(points, runs, level, metric)
    with sns.axes_style("whitegrid", rc=RC), sns.plotting_context("paper", rc=RC):
        figure = Figure(figsize=(PAGE_WIDTH, 4.4), layout="constrained")
        axis = figure.subplots()
        draw_size(axis, points, runs, metric)
        axis.set_title("")
        finish_accuracy(axis, low, high, None, metric, below=0.14)
    caption = (
        f"Data set {scope.dataset}, architecture {scope.encoder}, {method_label(method)}: test {metric.label}, mean "
        "over tasks, last epoch, against the mean norm of the test representations. Lines: means over n = "
        f"{len(points[0].runs)} seeds of each strength of DGR and of a plain penalty on ‖z‖², each run a dot. Open "
        "symbols: each run of the main comparison. Where DGR's line lies above the control's at the same ‖z‖, it gains "
        "more than shrinking z explains. No test is made here; claims against controls are tested with more seeds. "
        f"Values below {low:.0f} {metric.unit} are triangles at the edge, with the mean."
    )
    return Drawing(figure, caption)
