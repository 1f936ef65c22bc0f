"""How a study is told: the part of its file that decides no number."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from dgr.config.parsing import Strict


class MeasureText(Strict):
    """How a measure is written."""

    label: str
    """As tables and figures show it."""
    unit: str = ""
    """Behind the label."""
    scale: float = 1.0
    """From the recorded value to the printed one."""
    digits: PositiveInt = 2
    """Behind the point."""
    direction: Literal["higher", "lower", "none"]
    """Which way is better."""


class LevelText(Strict):
    """How the quantity that is varied is written."""

    label: str
    """As tables and figures show it."""
    scale: Literal["linear", "log"] = "linear"
    """Of the figure's axis."""
    percent: bool = False
    """Whether levels are shares that are written as percent."""


class StudyReportEntry(Strict):
    """What a study's table and figure show."""

    suite: str
    name: str
    """The study's, such as ``S1``."""
    title: str
    """Of its table and figure."""
    paper: str
    """The paper and what of it is followed."""
    level: LevelText
    """The quantity that is varied."""
    settings: dict[str, str]
    """Labels of the settings, in their order."""
    methods: dict[str, str] = {}
    """Labels of what is no method of the registry."""
    measures: Annotated[dict[str, MeasureText], Field(min_length=1)]
    """Columns of the table, by their names in the records."""
    figure: Annotated[list[str], Field(min_length=1)]
    """The measures that are drawn."""
    statistic: Literal["mean", "median"] = "mean"
    """What is shown of the seeds: the mean and its spread, or median and quartiles, where a seed can lie far out."""
    seeds_note: str
    """What the seeds draw, and so what spread and intervals are about."""
    notes: list[str] = []
    """Sentences below the table."""
