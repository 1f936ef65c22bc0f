"""The schema of a study's YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from dgr.config.study_report import StudyReportEntry
from dgr.studies.schema import StudyEntry


class StudyFile(StudyEntry, StudyReportEntry):
    """A study: what is done, and how it is told."""

    kind: Literal["study"]

    def entry(self) -> StudyEntry:
        """The part that decides the numbers."""
        return StudyEntry(suite=self.suite, name=self.name, seeds=self.seeds, study=self.study)

    def report(self) -> StudyReportEntry:
        """The part that decides how they are shown."""
        return StudyReportEntry(**self.model_dump(exclude={"kind", "seeds", "study"}))

    def stages(self) -> Iterator[tuple[str, str, Any]]:
        """Stage, key and entry of all that is made of it."""
        key = f"{self.suite}-{self.name}"
        yield "studies", key, self.entry().model_dump(mode="json")
        yield "study_reports", key, self.report().model_dump(mode="json")
        yield "study_claims", self.suite, {}
        yield "audits", self.suite, {}
