from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_figures import labels_run_together, laid_out, shown_ticks
from matplotlib.figure import Figure
from synthetic import SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.core.errors import DGRError
from dgr.figures.registry import write_figure
from dgr.figures.shared.style import LABELS
from dgr.figures.universality import OVER_EPOCHS, PANELS, build
from dgr.records.collecting import collect_suite
from dgr.records.records import load_records
from dgr.records.scope import open_scope

ARMS = ("none", "dgr", "norm")


def draw(plan: dict[str, Any], results: Path) -> tuple[Figure, str]:
    drawing = build(open_scope("figures", SUITE, "F2", plan, load_records(results / "records")))
    return drawing.figure, drawing.caption


def test_files_are_made_twice_the_same(results: Path) -> None:
    assert results.exists()
    first = {path: path.read_bytes() for path in write_figure(SUITE, "F2")}
    assert {path.name for path in first} == {"F2.pdf", "F2.png", "F2.svg"}
    assert {path: path.read_bytes() for path in write_figure(SUITE, "F2")} == first


def test_panels_dots_and_caption(results: Path, plan: dict[str, Any]) -> None:
    figure, caption = draw(plan, results)
    trained, new, curves = figure.axes[:4], figure.axes[4:8], figure.axes[8:]
    assert [axis.get_title() for axis in trained] == list(PANELS.values())
    assert [axis.get_title() for axis in curves] == list(OVER_EPOCHS.values())
    assert [axis.get_ylabel() for axis in (trained[0], new[0])] == ["trained tasks", "new tasks"]
    assert [label.get_text() for label in trained[0].get_yticklabels()] == [LABELS[name] for name in ARMS]
    assert [len(axis.lines) for axis in curves] == [3, 3]
    for part in ("EW", "Untrained head: mean of 8", "n = 3 seeds", "epochs 0, 1, 3", "95% t-intervals", "left > right"):
        assert part in caption


def test_dots_are_means_over_tasks_of_each_seed(results: Path, plan: dict[str, Any]) -> None:
    figure, _ = draw(plan, results)
    frame = load_records(results / "records").universality.query("method == 'equal_weighting' and epoch == 3")
    for row, names in enumerate((["left", "right"], ["left_greater"])):
        of_kind = frame[frame["task"].isin(names)].groupby(["regularizer", "seed"])
        for axis, measure in zip(figure.axes[4 * row : 4 * row + 4], PANELS, strict=True):
            means = of_kind[measure].mean()
            for place, name in enumerate(ARMS):
                points = np.asarray(axis.collections[place].get_offsets())
                np.testing.assert_allclose(points[:, 0], means.loc[name])
                np.testing.assert_allclose(points[:, 1].mean(), place)
                np.testing.assert_allclose(axis.lines[2 * place + 1].get_xdata(), means.loc[name].mean())


def test_curves_are_means_over_seeds_and_trained_tasks(results: Path, plan: dict[str, Any]) -> None:
    figure, _ = draw(plan, results)
    frame = load_records(results / "records").universality.query(
        "method == 'equal_weighting' and regularizer == 'none' and task != 'left_greater'"
    )
    for axis, quantity in zip(figure.axes[8:], OVER_EPOCHS, strict=True):
        np.testing.assert_allclose(axis.lines[0].get_ydata(), frame.groupby("epoch")[quantity].mean())


@pytest.mark.parametrize("middle", [2.295, 0.4885, 104.27])
def test_tick_labels_do_not_run_together(results: Path, plan: dict[str, Any], middle: float) -> None:
    """Values that are told apart by their third or fourth digit have long labels."""
    path = results / "records/universality.csv"
    frame = pd.read_csv(path)
    for measure in PANELS:
        frame[measure] = middle + 0.02 * (frame[measure].rank(pct=True) - 0.5)
    frame.to_csv(path, index=False)
    figure = laid_out(draw(plan, results)[0])
    assert labels_run_together(figure) == []
    assert {len(shown_ticks(panel.xaxis)) for panel in figure.axes[:8]} <= {2, 3}


def test_one_seed_has_dots_alone(workplace: Path) -> None:
    plan = make_plan(seeds=(0,))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    assert len(write_figure(SUITE, "F2")) == 3


def test_without_earlier_epochs_there_are_no_curves(workplace: Path) -> None:
    plan = make_plan((("single_task", ("none",)), ("pcgrad", ("none", "dgr"))))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    figure, caption = draw(plan, workplace / "results" / SUITE)
    assert len(figure.axes) == 8
    assert "PCGrad" in caption
    assert "epochs" not in caption


def test_without_new_tasks_there_is_one_row(results: Path, plan: dict[str, Any]) -> None:
    path = results / "records/universality.csv"
    frame = pd.read_csv(path)
    frame[frame["task"] != "left_greater"].to_csv(path, index=False)
    figure, caption = draw(plan, results)
    assert len(figure.axes) == 4 + 2
    assert "no head was trained on" not in caption


def test_without_probes(workplace: Path) -> None:
    plan: dict[str, Any] = make_plan() | {"probes": {}, "baselines": {}}
    write_plan(plan)
    make_runs(plan, workplace)
    collect_suite(SUITE)
    with pytest.raises(DGRError, match="F2 needs probes; add a block 'probes'"):
        write_figure(SUITE, "F2")
