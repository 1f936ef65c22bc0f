"""A study's table: mean and standard deviation over seeds of each measure, one column a level."""

from __future__ import annotations

import math

import pandas as pd

from dgr.config.study_report import MeasureText
from dgr.records.study_records import StudyRecords
from dgr.tables.shared.rendering import Table, interval_text, mean_sd, signed

ARROWS = {"higher": " ↑", "lower": " ↓", "none": ""}
COLUMNS_OF = {"mean": "Mean ± standard deviation", "median": "Median [lower quartile, upper quartile]"}
ROW_KEYS = ["measure", "setting", "method"]


def study_table(study: StudyRecords) -> Table:
    """One row a measure, setting and method."""
    report, frame = study.report, study.frame
    grouped = frame.groupby([*ROW_KEYS, "level"], sort=False)["value"]
    statistics = {key: _summary(values, report.statistic) for key, values in grouped}
    levels = sorted(frame["level"].unique())
    found = list(dict.fromkeys(frame[ROW_KEYS].itertuples(index=False, name=None)))
    order = {name: rank for rank, name in enumerate([*report.measures, *report.settings])}
    methods = {name: rank for rank, name in enumerate(dict.fromkeys(frame["method"]))}
    found.sort(key=lambda row: (order[row[0]], order[row[1]], methods[row[2]]))
    text, data = [], []
    for measure, setting, method in found:
        told = study.measure(measure)
        row = {
            "Measure": f"{told.label}{f' ({told.unit})' if told.unit else ''}{ARROWS[told.direction]}",
            "Setting": report.settings[setting],
            "Method": study.label(method),
        }
        numbers: dict[str, object] = {"measure": measure, "setting": setting, "method": method}
        for level in levels:
            found_here = statistics.get((measure, setting, method, level), {})
            row[study.level(level)] = _cell(found_here, told)
            numbers |= {f"{name}@{level:g}": value for name, value in found_here.items()}
        text.append(row)
        data.append(numbers)
    blocks = list(dict.fromkeys(row[:2] for row in found))
    return Table(
        data=pd.DataFrame(data),
        text=pd.DataFrame(text),
        groups=[blocks.index(row[:2]) for row in found],
        title=report.title,
        notes=[
            f"Columns: {report.level.label}. {COLUMNS_OF[report.statistic]} over n = {study.seeds} seeds.",
            report.seeds_note,
            f"Source: {report.paper}.",
            *report.notes,
        ],
        records=[[study.key]] * len(found),
    )


def _summary(values: pd.Series, statistic: str) -> dict[str, float]:
    """The numbers of a cell, by name."""
    if statistic == "mean":
        return {"mean": values.mean(), "sd": values.std()}
    lower, upper = (float(values.quantile(share)) for share in (0.25, 0.75))
    return {"median": float(values.median()), "lower": lower, "upper": upper}


def _cell(numbers: dict[str, float], told: MeasureText) -> str:
    if "median" not in numbers:
        return mean_sd(numbers.get("mean", math.nan), numbers.get("sd", math.nan), told.scale, digits=told.digits)
    lower, upper = (told.scale * numbers[name] for name in ("lower", "upper"))
    return f"{signed(told.scale * numbers['median'], told.digits)} {interval_text(lower, upper, told.digits)}"
