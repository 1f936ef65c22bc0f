"""What is measured beside runs and depends on an encoder: probes of representations, and costs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt

from dgr.config.parsing import Strict
from dgr.config.runs import MethodConfig, ProbeConfig, Seeds, TrainingConfig
from dgr.models.registry import AnyArchitecture, VectorArchitecture


class ProbedRun(ProbeConfig):
    """A probing stage: the settings, and the run whose representations are examined."""

    suite: str
    dataset: str
    kind: str
    """Of the data set; its file says which other tasks its labels make."""
    architecture: VectorArchitecture
    seeds: Seeds


class CostConfig(Strict):
    """A cost measurement: which methods are stepped, each without and with DGR, by rounds of a few steps.

    Attributes:
        num_dummies: numbers of dummy sets that DGR is timed with.
        controls: penalties that are timed beside it, with equal weighting only.
    """

    suite: str
    dataset: str
    architecture: AnyArchitecture
    training: TrainingConfig
    methods: Annotated[list[MethodConfig], Field(min_length=1)]
    num_dummies: Annotated[list[PositiveInt], Field(min_length=1)]
    controls: list[str]
    rounds: PositiveInt
    steps: PositiveInt
