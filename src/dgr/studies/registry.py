"""All studies by the kind of their configuration; adding one is a module and two lines here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from dgr.studies import alignment as alignment_study
from dgr.studies import cheaper_penalty, flipped_labels, loss_scale, noisy_regression, noisy_task, transfer
from dgr.studies.alignment import Alignment
from dgr.studies.cheaper_penalty import CheaperPenalty
from dgr.studies.flipped_labels import FlippedLabels
from dgr.studies.loss_scale import LossScale
from dgr.studies.noisy_regression import NoisyRegression
from dgr.studies.noisy_task import NoisyTask
from dgr.studies.row import Row
from dgr.studies.transfer import Transfer
from dgr.studies.tuned_rates import Trial

StudyConfig = Annotated[
    NoisyRegression | FlippedLabels | LossScale | Transfer | Alignment | NoisyTask | CheaperPenalty,
    Field(discriminator="kind"),
]


def tuning(config: StudyConfig) -> list[Trial]:
    """What a study tries on tuning seeds before its own; nothing where it has nothing to choose."""
    return flipped_labels.rate_trials(config) if isinstance(config, FlippedLabels) else []


def rows(config: StudyConfig, seed: int, rates: Mapping[str, float]) -> Iterator[Row]:
    """What a study finds with one seed, and with the learning rates that were chosen for its rows, if any were."""
    match config:
        case CheaperPenalty():
            return cheaper_penalty.run(config, seed)
        case NoisyRegression():
            return noisy_regression.run(config, seed)
        case FlippedLabels():
            return flipped_labels.run(config, seed, rates)
        case LossScale():
            return loss_scale.run(config, seed)
        case Transfer():
            return transfer.run(config, seed)
        case Alignment():
            return alignment_study.run(config, seed)
        case NoisyTask():
            return noisy_task.run(config, seed)
