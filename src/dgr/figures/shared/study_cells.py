"""What a study's figure shows of a cell's seeds: their centre, and their interval as far as the measure goes."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
from scipy import stats

from dgr.config.study_report import MeasureText
from dgr.figures.shared.curves import LEVEL, t_interval
from dgr.records.study_records import StudyRecords

LABEL_RANGES = {
    r"change|difference|−": (-math.inf, math.inf),
    r"correlation": (-1.0, 1.0),
    r"area under ROC|share|similarity": (0.0, 1.0),
    r"error": (0.0, math.inf),
}
"""Between which values measures without a unit lie, by what their labels say; the first that fits."""


def median_interval(values: pd.Series) -> tuple[float, float]:
    """The median's interval of order statistics at :data:`LEVEL`; NaN (no band) where there are too few values."""
    low, high = stats.quantile_test(values.to_numpy(), p=0.5).confidence_interval(LEVEL)
    return float(low), float(high)


INTERVALS = {"mean": t_interval, "median": median_interval}
"""By what the study's file shows of its seeds."""


def range_of(told: MeasureText) -> tuple[float, float]:
    """Between which printed values a measure can lie, as its label, unit and scale say; infinite where they do not.

    A study's file states no range. A percentage is a share where its record is one, or where it is an accuracy.
    """
    if told.unit == "%":
        is_share = told.scale == 100 or "accuracy" in told.label
        return (0.0, 100.0) if is_share else (-math.inf, math.inf)
    if counted := re.search(r", of (\d+)$", told.label):
        return 0.0, float(counted[1])
    return next((ends for words, ends in LABEL_RANGES.items() if re.search(words, told.label)), (-math.inf, math.inf))


def drawn_cells(study: StudyRecords) -> pd.DataFrame:
    """One row a measure that is drawn, setting, method and level.

    Returns:
        Columns ``measure``, ``setting``, ``method`` (its label), ``level``, ``centre``, ``low``, ``high``, and ``cut``:
        the ends of the measure's range at which the interval was cut.
    """
    rows = []
    keys = ["measure", "setting", "method", "level"]
    drawn = study.frame[study.frame["measure"].isin(study.report.figure)]
    for (measure, setting, method, level), values in drawn.groupby(keys, sort=False)["value"]:
        told = study.measure(str(measure))
        shown = told.scale * values
        low, high = INTERVALS[study.report.statistic](shown)
        least, most = range_of(told)
        cut = (least,) * (low < least) + (most,) * (high > most)
        inside = np.clip((low, high), least, most)
        centre = float(shown.agg(study.report.statistic))
        rows.append((measure, setting, study.label(str(method)), level, centre, *map(float, inside), cut))
    return pd.DataFrame(rows, columns=[*keys, "centre", "low", "high", "cut"])
