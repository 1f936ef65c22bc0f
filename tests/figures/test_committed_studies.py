"""Figures of the committed studies: nothing is cut off, empty or beyond what its measure can be."""

import json
import math
from functools import cache

import numpy as np
import pytest
from committed_support import committed
from drawn_figures import clipped_entries, labels_run_together, laid_out, legends
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from dgr.figures.shared.study import study_figure
from dgr.figures.shared.style import Drawing
from dgr.records.study_records import load_study

ROOT = committed()
PLANS = [ROOT / f"suites/{suite}/plan.json" for suite in ("studies", "real_studies")]
KEYS = [key for path in PLANS for key in json.loads(path.read_text(encoding="utf-8"))["study_reports"]]
RANGES = {
    "test accuracy, mean of both tasks (%)": (0, 100),
    "change from DGR at every step (points)": (-100, 100),
    "worst task, change (%)": (-math.inf, math.inf),
    "worst task against EW at factor 1 (%)": (-math.inf, math.inf),
    "main task, test error": (0, math.inf),
    "wrong targets found, area under ROC": (0, 1),
    "main task, area under ROC": (0, 1),
    "other tasks, area under ROC": (0, 1),
    "other tasks, accuracy (%)": (0, 100),
    "MTL − STL, target loss": (-math.inf, math.inf),
    "test error / variance": (0, math.inf),
    "accuracy (%)": (0, 100),
    "covariance similarity": (0, 1),
    "normalised similarity": (0, 1),
    "its share of the weight": (0, 1),
    "pairs improved, of 15": (0, 15),
    "pairs made more similar, of 15": (0, 15),
    "rank correlation of similarity and gain": (-1, 1),
}
"""Of every measure that is drawn, by its name beside its axis."""


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@cache
def drawn(key: str) -> Drawing:
    drawing = study_figure(load_study(key))
    laid_out(drawing.figure)
    return drawing


def ends_by_measure(figure: Figure) -> dict[str, list[float]]:
    """Ends of all intervals and bands, by the name beside their axis, which the first of its panels has."""
    found: dict[str, list[float]] = {}
    name = ""
    for panel in figure.axes:
        lying = bool(panel.get_xlabel())
        name = (panel.get_xlabel() or panel.get_ylabel()).replace("\n", " ") or name
        for collection in panel.collections:
            for path in collection.get_paths():
                values = path.vertices[:, 0 if lying else 1]
                found.setdefault(name, []).extend(values[np.isfinite(values)])
    return found


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_cut_off_or_empty(key: str) -> None:
    figure = drawn(key).figure
    assert clipped_entries(figure) == []
    assert labels_run_together(figure) == []
    for panel in figure.axes:
        assert panel.get_visible()
        assert any(np.isfinite(line.get_ydata()).any() for line in panel.lines), panel.get_title()


@pytest.mark.parametrize("key", KEYS)
def test_each_entry_of_a_legend_is_drawn(key: str) -> None:
    figure = drawn(key).figure
    looks = {(to_hex(line.get_color()), line.get_marker()) for panel in figure.axes for line in panel.lines}
    for legend in legends(figure):
        shown = [(to_hex(mark.get_color()), mark.get_marker()) for mark in legend.legend_handles]
        assert len(set(shown)) == len(shown)
        assert set(shown) <= looks


@pytest.mark.parametrize("key", KEYS)
def test_no_interval_leaves_what_its_measure_can_be(key: str) -> None:
    for name, ends in ends_by_measure(drawn(key).figure).items():
        low, high = RANGES[name]
        assert low <= min(ends) <= max(ends) <= high, name


def test_an_area_under_roc_ends_at_one_and_the_caption_says_so() -> None:
    """The t-interval of EW with held-out data ends at 1.008."""
    drawing = drawn("studies-S2")
    assert max(ends_by_measure(drawing.figure)["main task, area under ROC"]) == 1
    assert drawing.caption.endswith("Intervals are cut at 1, where their measure ends.")
    assert "cut at" not in drawn("studies-W3").caption


def test_a_line_joins_more_than_two_levels_alone() -> None:
    two = drawn("real_studies-W4").figure
    assert {line.get_linestyle() for panel in two.axes for line in panel.lines} == {"None"}
    three = drawn("studies-W2").figure
    assert "None" not in {line.get_linestyle() for panel in three.axes for line in panel.lines}


def test_a_method_looks_the_same_in_every_study() -> None:
    looks: dict[str, set[tuple[str, str]]] = {}
    for key in KEYS:
        for legend in legends(drawn(key).figure):
            for text, mark in zip(legend.get_texts(), legend.legend_handles, strict=True):
                looks.setdefault(text.get_text(), set()).add((to_hex(mark.get_color()), mark.get_marker()))
    assert {"EW", "shared layer", "with alignment", "with orthogonal alignment"} <= set(looks)
    assert {name: own for name, own in looks.items() if len(own) > 1} == {}
    assert looks["EW"] == looks["shared layer"]
