"""The schemas of studies' YAML files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from dgr.config.study_report import StudyReportEntry
from dgr.real_studies.schema import RealStudyEntry
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
        yield "studies", f"{self.suite}-{self.name}", self.entry().model_dump(mode="json")
        yield from _reports(self.report())


class RealStudyFile(RealStudyEntry, StudyReportEntry):
    """A study of fetched data: what is done, and how it is told."""

    kind: Literal["real_study"]

    def entry(self) -> RealStudyEntry:
        """The part that decides the numbers."""
        return RealStudyEntry(suite=self.suite, name=self.name, seeds=self.seeds, study=self.study)

    def report(self) -> StudyReportEntry:
        """The part that decides how they are shown."""
        return StudyReportEntry(**self.model_dump(exclude={"kind", "seeds", "study"}))

    def stages(self) -> Iterator[tuple[str, str, Any]]:
        """Stage, key and entry of all that is made of it."""
        yield "real_studies", f"{self.suite}-{self.name}", self.entry().model_dump(mode="json")
        yield from _reports(self.report())


STUDY_FILES: dict[str, type[StudyFile | RealStudyFile]] = {"study": StudyFile, "real_study": RealStudyFile}


def _reports(report: StudyReportEntry) -> Iterator[tuple[str, str, Any]]:
    yield "study_reports", f"{report.suite}-{report.name}", report.model_dump(mode="json")
    yield "study_claims", report.suite, {}
    yield "audits", report.suite, {}
