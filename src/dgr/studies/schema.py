"""What a study's stage does; how it is told is in :mod:`dgr.config.study_report`."""

from __future__ import annotations

from dgr.config.parsing import Strict
from dgr.config.runs import Seeds
from dgr.studies.registry import StudyConfig


class StudyEntry(Strict):
    """What a study's stage does: one configuration for a list of seeds."""

    suite: str
    name: str
    """The study's, such as ``S1``."""
    seeds: Seeds
    study: StudyConfig
    """What is done."""
