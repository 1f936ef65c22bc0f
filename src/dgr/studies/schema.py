"""What a study's stage does; how it is told is in :mod:`dgr.reporting.study_schema`."""

from __future__ import annotations

from dgr.core.config import Seeds
from dgr.core.strict import Strict
from dgr.studies.registry import StudyConfig


class StudyEntry(Strict):
    """What a study's stage does: one configuration for a list of seeds."""

    suite: str
    name: str
    seeds: Seeds
    study: StudyConfig
