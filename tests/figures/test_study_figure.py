"""A study's table and figure show the mean of its seeds, or the median where its file says so."""

import math

import numpy as np
import pandas as pd
import pytest
from drawn_figures import clipped_entries, laid_out
from matplotlib.colors import to_hex

from dgr.config.study_report import MeasureText, StudyReportEntry
from dgr.figures.shared.study import study_figure
from dgr.figures.shared.study_cells import median_interval, range_of
from dgr.records.study_records import StudyRecords
from dgr.tables.studies.measures import study_table

REPORT = {
    "suite": "studies",
    "name": "X",
    "title": "A made-up study.",
    "paper": "none",
    "level": {"label": "level"},
    "settings": {"a": "setting"},
    "methods": {"new": "new", "other": "other"},
    "measures": {"gain": {"label": "gain", "digits": 2, "direction": "lower"}},
    "figure": ["gain"],
    "seeds_note": "Seeds draw everything.",
}


def made_up(statistic, levels=(1.0, 2.0)):
    """Nine seeds of one method, of which one lies far out."""
    values = [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 1000.0]
    rows = [(seed, "a", level, "new", "gain", level * v) for level in levels for seed, v in enumerate(values)]
    frame = pd.DataFrame(rows, columns=["seed", "setting", "level", "method", "measure", "value"])
    return StudyRecords(StudyReportEntry(**REPORT, statistic=statistic), frame)


def test_the_table_shows_what_the_file_says():
    mean, median = (study_table(made_up(statistic)) for statistic in ("mean", "median"))
    assert mean.text["1"].tolist() == ["110.67 ± 333.51"]
    assert median.text["1"].tolist() == ["0.00 [−2.00, +2.00]"]
    assert median.data.loc[0, ["median@2", "lower@2", "upper@2"]].tolist() == [0.0, -4.0, 4.0]
    assert "Median [lower quartile, upper quartile] over n = 9 seeds" in median.notes[0]
    assert "Mean ± standard deviation over n = 9 seeds" in mean.notes[0]


def test_one_seed_far_out_does_not_set_the_axis_of_medians():
    for levels in ((1.0, 2.0), (1.0,)):
        drawing = study_figure(made_up("median", levels))
        (axis,) = drawing.figure.axes
        low, high = axis.get_ylim() if len(levels) > 1 else axis.get_xlim()
        assert high - low < 20
        assert "Median over seeds" in drawing.caption
    (axis,) = study_figure(made_up("mean")).figure.axes
    assert axis.get_ylim()[1] > 100


def test_the_interval_of_a_median_is_made_of_order_statistics():
    values = pd.Series(np.random.default_rng(0).permutation(np.arange(30.0)))
    assert median_interval(values) == (9.0, 20.0)  # the tenth from either end: P(B < 10) = 0.0214
    assert all(np.isnan(end) for end in median_interval(pd.Series([1.0, 2.0])))


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_cell_that_was_not_measured_is_a_dash(statistic):
    study = made_up(statistic)
    frame = study.frame[(study.frame["level"] == 1.0)]
    other = study.frame[study.frame["level"] == 2.0].assign(method="other")
    table = study_table(StudyRecords(study.report, pd.concat([frame, other])))
    assert table.text["2"].tolist()[0] == table.text["1"].tolist()[1] == "–"


def several(methods, levels=(1.0, 2.0, 3.0), settings=("a",), **changed):
    """Two seeds of several methods, by name and label, which rise with the level."""
    told = {"methods": methods, "settings": {name: f"setting {name}" for name in settings}, **changed}
    rows = [
        (seed, setting, level, name, measure, level + seed)
        for seed in (0, 1)
        for setting in settings
        for level in levels
        for name in methods
        for measure in changed.get("measures", REPORT["measures"])
    ]
    frame = pd.DataFrame(rows, columns=["seed", "setting", "level", "method", "measure", "value"])
    return StudyRecords(StudyReportEntry(**REPORT | told), frame)


def test_a_legend_has_as_many_rows_as_its_entries_need():
    short = study_figure(several({f"m{i}": f"arm {i}" for i in range(5)})).figure
    assert short.legends[0]._ncols == 5
    for words in (2, 7):
        long = study_figure(several({f"m{i}": f"arm {i} {'with words ' * words}" for i in range(5)})).figure
        assert clipped_entries(laid_out(long)) == []
        assert long.legends[0]._ncols < 5


def test_measures_of_one_setting_stand_beside_each_other_and_no_panel_is_empty():
    measures = {name: {"label": name, "direction": "higher"} for name in ("error", "score", "both")}
    study = several({"m": "arm"}, settings=("a", "b"), measures=measures, figure=list(measures))
    missing = {("error", "b"), ("score", "a")}
    there = [pair not in missing for pair in zip(study.frame["measure"], study.frame["setting"], strict=True)]
    figure = laid_out(study_figure(StudyRecords(study.report, study.frame[there])).figure)
    titles = [panel.get_title() for panel in figure.axes]
    assert titles == ["setting a", "setting b", "setting a", "setting b"]
    assert [panel.get_ylabel() for panel in figure.axes] == ["error", "score", "both", ""]
    rows = [round(panel.get_position().y0, 3) for panel in figure.axes]
    assert rows[0] == rows[1] > rows[2] == rows[3]
    assert all(panel.lines for panel in figure.axes)


def test_a_line_needs_three_levels():
    for levels, joined in (((1.0, 2.0), False), ((1.0, 2.0, 3.0), True)):
        figure = study_figure(several({"equal_weighting": "arm"}, levels)).figure
        shown = [*figure.axes[0].lines, *figure.legends[0].legend_handles]
        assert {line.get_linestyle() != "None" for line in shown} == {joined}
    two = study_figure(several({"m": "arm", "n": "other"}, (0.0, 90.0))).figure.axes[0]
    assert [label.get_text() for label in two.get_xticklabels()] == ["0", "90"]
    one, other = (line.get_xdata() for line in two.lines)
    assert (one < other).all(), "points of one level stand beside each other"


@pytest.mark.parametrize(
    ("levels", "told"), [((0.6,), "Shown: gain; at: level 60 %."), ((0.2, 0.6), "Shown: gain; against: level.")]
)
def test_the_caption_says_against_where_the_level_is_varied(levels, told):
    study = several({"m": "arm"}, levels, level={"label": "level", "percent": True})
    assert told in study_figure(study).caption


def test_an_arm_looks_the_same_whatever_stands_beside_it():
    def looks(*names):
        handles = study_figure(several(dict.fromkeys(names, "") | {name: name for name in names})).figure.legends[0]
        return {mark.get_label(): (to_hex(mark.get_color()), mark.get_marker()) for mark in handles.legend_handles}

    one = looks("equal_weighting", "covariance_alignment", "common_layers", "new")
    other = looks("pcgrad", "own", "common_layers", "single_task", "covariance_alignment", "equal_weighting")
    shared = set(one) & set(other)
    assert shared == {"equal_weighting", "covariance_alignment", "common_layers"}
    assert {name: one[name] for name in shared} == {name: other[name] for name in shared}
    assert len(set(one.values())) == 4
    assert len(set(other.values())) == 6


def test_an_interval_is_cut_where_its_measure_ends():
    """Seeds at 0.9 and 1.0: their t-interval ends at 1.59."""
    measures = {"auc": {"label": "area under ROC", "direction": "higher"}}
    for levels in ((1.0,), (1.0, 2.0), (1.0, 2.0, 3.0)):
        study = several({"m": "arm"}, levels, measures=measures, figure=["auc"])
        frame = study.frame.assign(value=0.9 + 0.1 * study.frame["seed"])
        drawing = study_figure(StudyRecords(study.report, frame))
        (panel,) = drawing.figure.axes
        (bars,) = panel.collections
        values = np.concatenate([path.vertices for path in bars.get_paths()])[:, 0 if len(levels) == 1 else 1]
        assert values.max() == 1
        assert values.min() == pytest.approx(0.95 - 12.706 * 0.05, abs=1e-3)
        assert drawing.caption.endswith(" Intervals are cut at 1, where their measure ends.")


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ({"label": "main task, area under ROC"}, (0, 1)),
        ({"label": "accuracy", "unit": "%", "scale": 100}, (0, 100)),
        ({"label": "test accuracy", "unit": "%"}, (0, 100)),
        ({"label": "wrong found", "unit": "%", "scale": 100}, (0, 100)),
        ({"label": "worst task, change", "unit": "%"}, (-math.inf, math.inf)),
        ({"label": "change of accuracy", "unit": "points", "scale": 100}, (-math.inf, math.inf)),
        ({"label": "pairs improved, of 15"}, (0, 15)),
        ({"label": "rank correlation of similarity and gain"}, (-1, 1)),
        ({"label": "its share of the weight"}, (0, 1)),
        ({"label": "test error"}, (0, math.inf)),
        ({"label": "MTL − STL, target loss"}, (-math.inf, math.inf)),
    ],
)
def test_a_range_is_what_label_and_unit_say(text, ends):
    assert range_of(MeasureText(**text, direction="higher")) == ends
