import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from scipy import stats
from synthetic import SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.core.errors import DGRError
from dgr.figures.learning_curves import build
from dgr.figures.registry import write_figure
from dgr.figures.shared.curves import t_interval
from dgr.figures.shared.files import save_drawing
from dgr.records import names
from dgr.records.collecting import collect_suite
from dgr.records.records import load_records
from dgr.records.scope import open_scope


def draw(plan: dict[str, Any], results: Path) -> tuple[Figure, str]:
    drawing = build(open_scope("figures", SUITE, "F5", plan, load_records(results / "records")))
    return drawing.figure, drawing.caption


def test_two_renderings_are_byte_identical_in_any_process(results: Path) -> None:
    first = {path: path.read_bytes() for path in write_figure(SUITE, "F5")}
    assert {path.suffix for path in first} == {".pdf", ".png", ".svg"}
    code = f"from dgr.figures.registry import write_figure; write_figure('{SUITE}', 'F5')"
    # Another process with another hash seed and another user's look.
    Path("matplotlibrc").write_text("figure.dpi: 50\nsavefig.bbox: tight\nlines.linewidth: 9\naxes.titleweight: bold\n")
    environment = {**os.environ, "PYTHONHASHSEED": "3", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert results.exists()
    assert {path: path.read_bytes() for path in first} == first
    assert b"CreationDate" not in next(path for path in first if path.suffix == ".pdf").read_bytes()


def test_panels_lines_and_caption(results: Path, plan: dict[str, Any]) -> None:
    figure, caption = draw(plan, results)
    assert [axis.get_title() for axis in figure.axes] == ["EW", "PCGrad"]
    assert [len(axis.lines) for axis in figure.axes] == [1 + 3, 1 + 2]
    assert [len(axis.collections) for axis in figure.axes] == [3, 2]
    for part in ("n = 3 seeds", "95% t-intervals", "validation accuracy", "leaves out"):
        assert part in caption


def test_lines_are_means_over_seeds_and_tasks(results: Path, plan: dict[str, Any]) -> None:
    figure, _ = draw(plan, results)
    histories = load_records(results / "records").histories
    plain = histories.query("method == 'pcgrad' and regularizer == 'none'").groupby("epoch")
    wanted = 50 * (plain["val_accuracy/left"].mean() + plain["val_accuracy/right"].mean())
    assert list(figure.axes[1].lines[1].get_ydata()) == pytest.approx(list(wanted))


def test_the_axis_ends_near_the_lines(results: Path, plan: dict[str, Any]) -> None:
    """All but their first epoch of three is there, with room of at most 15 % of its range."""
    figure, _ = draw(plan, results)
    late = [value for panel in figure.axes for line in panel.lines for value in line.get_ydata()[1:]]
    room = 0.15 * (max(late) - min(late)) + 1e-9
    for panel in figure.axes:
        low, high = panel.get_ylim()
        assert min(late) - room <= low < min(late)
        assert max(late) < high <= max(late) + room


def test_interval() -> None:
    values = pd.Series([1.0, 2.0, 4.0, 3.5])
    wanted = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    assert t_interval(values) == pytest.approx(wanted)
    assert t_interval(pd.Series([2.0, 2.0])) == (2.0, 2.0)
    assert all(pd.isna(bound) for bound in t_interval(pd.Series([2.0])))


def test_one_seed_has_lines_but_no_bands(workplace: Path) -> None:
    plan = make_plan(seeds=(0,))
    write_plan(plan)
    make_runs(plan, workplace)
    make_measurements(plan, workplace)
    collect_suite(SUITE)
    _, png, _ = write_figure(SUITE, "F5")
    with Image.open(png) as image:
        assert image.width == 1400
        assert "n = 1 seeds" in image.info["Description"]


def test_different_metrics_have_no_mean(results: Path, plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(names.METRICS, "error", names.Metric("error", "m", 1.0, False))
    records = load_records(results / "records")
    right = records.runs["task"] == "right"
    records.runs.loc[right, "metric"] = records.runs.loc[right, "metric"].str.replace("accuracy", "error")
    with pytest.raises(DGRError, match="accuracy, error"):
        build(open_scope("figures", SUITE, "F5", plan, records))


def test_unknown_figure(results: Path) -> None:
    assert results.exists()
    with pytest.raises(DGRError, match="no figure 'F55'; did you mean 'F5'"):
        write_figure(SUITE, "F55")


def test_a_failed_drawing_leaves_the_old_file(results: Path, plan: dict[str, Any]) -> None:
    files = write_figure(SUITE, "F5")
    before = [file.read_bytes() for file in files]
    drawing = build(open_scope("figures", SUITE, "F5", plan, load_records(results / "records")))
    drawing.figure.text(0, 0, "$\\broken$")
    with pytest.raises(ValueError):
        save_drawing(drawing, files[0].with_suffix(""))
    assert [file.read_bytes() for file in files] == before
    assert sorted(path.name for path in files[0].parent.iterdir()) == ["F5.pdf", "F5.png", "F5.svg"]
