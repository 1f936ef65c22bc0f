"""A study's table and figure show the mean of its seeds, or the median where its file says so."""

import numpy as np
import pandas as pd
import pytest

from dgr.config.study_report import StudyReportEntry
from dgr.figures.shared.study import median_interval, study_figure
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
