"""All studies of fetched data by the kind of their configuration; adding one is a module and its lines here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from dgr.real_studies import flipped_pictures, noisy_picture_task, sentence_pairs
from dgr.real_studies.flipped_pictures import FlippedPictures
from dgr.real_studies.noisy_picture_task import NoisyPictureTask
from dgr.real_studies.sentence_pairs import SentencePairs
from dgr.studies.row import Row
from dgr.studies.tuned_rates import Trial

RealStudyConfig = Annotated[SentencePairs | FlippedPictures | NoisyPictureTask, Field(discriminator="kind")]


def real_trials(config: RealStudyConfig, place: Path) -> list[Trial]:
    """What a study tries on tuning seeds before its own; nothing where it has nothing to choose.

    Args:
        config: its settings.
        place: the folder of its source.
    """
    match config:
        case SentencePairs():
            return sentence_pairs.pair_trials(config, place)
        case FlippedPictures():
            return flipped_pictures.picture_trials(config, place)
        case NoisyPictureTask():
            return noisy_picture_task.noise_trials(config, place)


def real_rows(config: RealStudyConfig, seed: int, rates: Mapping[str, float], place: Path) -> Iterator[Row]:
    """What a study finds with one seed, and with the learning rates that were chosen for its rows, if any were."""
    match config:
        case SentencePairs():
            return sentence_pairs.run(config, seed, rates, place)
        case FlippedPictures():
            return flipped_pictures.run(config, seed, rates, place)
        case NoisyPictureTask():
            return noisy_picture_task.run(config, seed, rates, place)
