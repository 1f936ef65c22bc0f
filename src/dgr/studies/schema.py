"""The schema of a study's YAML file: what is done, and how it is told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dgr.core.config import Seeds
from dgr.core.strict import Strict
from dgr.reporting.study_schema import LevelText, MeasureText, StudyReportEntry
from dgr.studies.registry import StudyConfig


class StudyEntry(Strict):
    """What a study's stage does: one configuration for a list of seeds."""

    suite: str
    name: str
    seeds: Seeds
    study: StudyConfig


class StudyFile(Strict):
    """A whole file."""

    kind: Literal["study"]
    suite: str
    name: str
    seeds: Seeds
    study: StudyConfig
    title: str
    source: str
    level: LevelText
    settings: dict[str, str]
    methods: dict[str, str] = {}
    measures: Annotated[dict[str, MeasureText], Field(min_length=1)]
    figure: Annotated[list[str], Field(min_length=1)]
    notes: list[str] = []

    def entry(self) -> StudyEntry:
        """The part that decides the numbers."""
        return StudyEntry(suite=self.suite, name=self.name, seeds=self.seeds, study=self.study)

    def report(self) -> StudyReportEntry:
        """The part that decides how they are shown."""
        return StudyReportEntry(**self.model_dump(exclude={"kind", "seeds", "study"}))
