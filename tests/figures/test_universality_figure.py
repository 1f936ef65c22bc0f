from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from synthetic import SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.core.errors import DGRError
from dgr.figures.registry import write_figure
from dgr.figures.universality import PANELS, build
from dgr.records.collecting import collect_suite
from dgr.records.records import load_records
from dgr.records.scope import open_scope


def draw(plan: dict[str, Any], results: Path) -> tuple[Figure, str]:
    drawing = build(open_scope("figures", SUITE, "F2", plan, load_records(results / "records")))
    return drawing.figure, drawing.caption


def test_files_are_made_twice_the_same(results: Path) -> None:
    assert results.exists()
    first = {path: path.read_bytes() for path in write_figure(SUITE, "F2")}
    assert {path.name for path in first} == {"F2.pdf", "F2.png"}
    assert {path: path.read_bytes() for path in write_figure(SUITE, "F2")} == first


def test_panels_lines_bands_and_caption(results: Path, plan: dict[str, Any]) -> None:
    figure, caption = draw(plan, results)
    assert [axis.get_title() for axis in figure.axes] == list(PANELS.values())
    assert [len(axis.lines) for axis in figure.axes] == [3] * 4
    assert [len(axis.collections) for axis in figure.axes] == [3] * 4
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    for part in ("EW", "8 untrained heads", "n = 3 seeds at epochs 0, 1, 3", "95% t-intervals", "not available"):
        assert part in caption


def test_lines_are_means_over_seeds_and_tasks(results: Path, plan: dict[str, Any]) -> None:
    figure, _ = draw(plan, results)
    frame = load_records(results / "records").universality.query(
        "method == 'equal_weighting' and regularizer == 'none'"
    )
    for axis, quantity in zip(figure.axes, PANELS, strict=True):
        wanted = frame.groupby("epoch")[quantity].mean()
        np.testing.assert_allclose(axis.lines[0].get_ydata(), wanted)


def test_one_seed_has_no_bands(workplace: Path) -> None:
    plan = make_plan(seeds=(0,))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    assert len(write_figure(SUITE, "F2")) == 2


def test_without_snapshots(workplace: Path) -> None:
    plan = make_plan((("pcgrad", ("none", "dgr")),))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    with pytest.raises(DGRError, match="F2 needs representations of several epochs"):
        write_figure(SUITE, "F2")


def test_two_methods_with_snapshots(results: Path, plan: dict[str, Any]) -> None:
    records = load_records(results / "records")
    earlier = records.universality.query("method == 'pcgrad'").assign(epoch=1)
    object.__setattr__(records, "universality", pd.concat([records.universality, earlier]))
    with pytest.raises(DGRError, match="equal_weighting, pcgrad have snapshots"):
        build(open_scope("figures", SUITE, "F2", plan, records))


def another_last_epoch(results: Path, method: str) -> pd.DataFrame:
    """Universality as it would be had one run of a method been trained for one epoch more."""
    frame = load_records(results / "records").universality
    chosen = (frame["method"] == method) & (frame["regularizer"] == "dgr") & (frame["epoch"] == 3)
    return frame.assign(epoch=frame["epoch"].mask(chosen, 4))


def test_a_run_with_another_number_of_epochs_is_not_taken_for_one_with_snapshots(
    results: Path, plan: dict[str, Any]
) -> None:
    before, _ = draw(plan, results)
    another_last_epoch(results, "pcgrad").to_csv(results / "records/universality.csv", index=False)
    figure, caption = draw(plan, results)
    assert "n = 3 seeds at epochs 0, 1, 3" in caption
    for axis, old in zip(figure.axes, before.axes, strict=True):
        for line, expected in zip(axis.lines, old.lines, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), expected.get_xydata())


def test_a_shown_run_with_another_number_of_epochs_has_a_longer_line(results: Path, plan: dict[str, Any]) -> None:
    another_last_epoch(results, "equal_weighting").to_csv(results / "records/universality.csv", index=False)
    figure, caption = draw(plan, results)
    assert sorted(line.get_xdata()[-1] for line in figure.axes[0].lines) == [3, 3, 4]
    assert "at epochs 0, 1, 3, 4" in caption
