"""A study's committed numbers, checked against the plan."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry, read_plan
from dgr.config.study_report import MeasureText, StudyReportEntry
from dgr.core.errors import DGRError, nearest
from dgr.core.files import read_json
from dgr.core.paths import records_folder
from dgr.records.csv_files import read_frame
from dgr.records.names import method_label
from dgr.records.records import STUDY_SECTIONS, study_command

STUDY_CELL = ["setting", "level", "method", "measure"]
STUDY_COLUMNS = ["seed", *STUDY_CELL, "value"]


@dataclass(frozen=True)
class StudyRecords:
    """A study as it is told, and its numbers: one row a seed, setting, level, method and measure."""

    report: StudyReportEntry
    frame: pd.DataFrame

    @property
    def key(self) -> str:
        """The study's key in the plan."""
        return f"{self.report.suite}-{self.report.name}"

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.frame["seed"].nunique())

    def label(self, method: str) -> str:
        """A method as readers see it."""
        return self.report.methods.get(method) or method_label(method)

    def level(self, value: float) -> str:
        """A level as readers see it."""
        return f"{100 * value:g} %" if self.report.level.percent else f"{value:g}"

    def measure(self, name: str) -> MeasureText:
        """How a measure is written."""
        return self.report.measures[name]


def load_study(key: str) -> StudyRecords:
    """Read ``results/SUITE/records/NAME.csv``.

    Raises:
        DGRError: it is missing, damaged, of other seeds than the plan's, or names a setting or a measure that the
            study's file does not describe.
    """
    report = parse(StudyReportEntry, plan_entry(key, ("study_reports",)), key)
    path = records_folder(report.suite) / f"{report.name}.csv"
    remedy = f"run `python -m dgr {study_command(read_plan(), key)}`"
    frame = read_frame(path, remedy)
    if list(frame) != STUDY_COLUMNS or frame.empty or not pd.api.types.is_float_dtype(frame["value"]):
        raise DGRError(f"{path} is damaged: it must hold the columns {', '.join(STUDY_COLUMNS)}; {remedy}.")
    entry = plan_entry(key, STUDY_SECTIONS)
    wanted = set(entry["seeds"])
    cells = {seed: sorted(zip(*(own[name] for name in STUDY_CELL), strict=True)) for seed, own in frame.groupby("seed")}
    repeated = frame.duplicated(STUDY_COLUMNS[:-1]).any() or frame["value"].isna().any()
    if set(cells) != wanted or repeated or any(found != cells[min(wanted)] for found in cells.values()):
        raise DGRError(f"{path} does not hold every number of the seeds {sorted(wanted)} once; {remedy}.")
    if read_json(path.with_suffix(".json"), remedy)["config"] != entry:
        raise DGRError(f"{path} was made with other settings than the plan's; {remedy}.")
    for column, known in (("setting", report.settings), ("measure", report.measures)):
        for name in set(frame[column]) - set(known):
            raise DGRError(f"{path} has the {column} '{name}', which its file does not describe{nearest(name, known)}.")
    return StudyRecords(report, frame)
