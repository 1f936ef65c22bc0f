"""What the stage of a study of fetched data does; how it is told is in :mod:`dgr.config.study_report`."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from dgr.config.parsing import Strict
from dgr.config.runs import Seeds
from dgr.real_studies.registry import RealStudyConfig
from dgr.studies.tuned_rates import RateGrid


class RealStudyEntry(Strict):
    """What a study's stage does: one configuration for a list of seeds."""

    suite: str
    name: str
    """The study's, such as ``S3``."""
    seeds: Seeds
    study: RealStudyConfig
    """What is done, and the source of its data."""

    @model_validator(mode="after")
    def _tunes_apart(self) -> Self:
        rate = self.study.learning_rate
        if isinstance(rate, RateGrid) and (both := sorted(set(rate.seeds) & set(self.seeds))):
            raise ValueError(f"seeds {', '.join(map(str, both))} are reported and must not choose learning rates too")
        return self
