"""A study's table: mean and standard deviation over seeds of each measure, one column a level."""

from __future__ import annotations

import pandas as pd

from dgr.records.study_records import StudyRecords
from dgr.tables.shared.rendering import Table, mean_sd

ARROWS = {"higher": " ↑", "lower": " ↓", "none": ""}
NOTHING = (float("nan"), float("nan"))
ROW_KEYS = ["measure", "setting", "method"]


def study_table(study: StudyRecords) -> Table:
    """One row a measure, setting and method."""
    report, frame = study.report, study.frame
    grouped = frame.groupby([*ROW_KEYS, "level"], sort=False)["value"]
    statistics = {key: (values.mean(), values.std()) for key, values in grouped}
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
            mean, sd = statistics.get((measure, setting, method, level), NOTHING)
            row[study.level(level)] = mean_sd(mean, sd, told.scale, digits=told.digits)
            numbers |= {f"mean@{level:g}": mean, f"sd@{level:g}": sd}
        text.append(row)
        data.append(numbers)
    blocks = list(dict.fromkeys(row[:2] for row in found))
    return Table(
        data=pd.DataFrame(data),
        text=pd.DataFrame(text),
        groups=[blocks.index(row[:2]) for row in found],
        title=report.title,
        notes=[
            f"Columns: {report.level.label}. Mean ± standard deviation over n = {study.seeds} seeds.",
            report.seeds_note,
            f"Source: {report.paper}.",
            *report.notes,
        ],
        records=[[study.key]] * len(found),
    )
