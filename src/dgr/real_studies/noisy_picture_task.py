"""Study W5: does SVD re-weighting keep a task with random labels from harming the others, on pictures?

Method and question of Wu, Zhang, Ré, ICLR 2020, arXiv 2005.00944 (there: chest X-rays with several labels, 20 % random
ones on one task; measured by areas under ROC). Here: CIFAR-10 as ten tasks, each class against the rest. As in study W3
on digits, a random label is drawn evenly from both answers, and inputs are less their training mean: otherwise the mean
picture is the first direction of every task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from dgr.core.seeds import generator_for
from dgr.methods.svd_reweighting import SVDReweighting
from dgr.real_studies.one_against_rest import CLASS_TASKS, areas_on, class_samples, narrow_recipe
from dgr.real_studies.pictures import PICTURE_CLASSES, PictureClass, Pictures, PictureSizes
from dgr.studies.compared import ComparesMethods, row_name
from dgr.studies.row import Row
from dgr.studies.samples import Samples, Schedule
from dgr.studies.tuned_rates import RateGrid, RateOrGrid, Trial, rate_of, tuning_trials

_EXPERIMENT = "noisy_picture_task"
ON_PICTURES = "pictures"


class NoisyPictureTask(ComparesMethods):
    """Sizes and settings of the study; Adam throughout."""

    num_tasks: ClassVar[int] = len(CLASS_TASKS)
    has_held_out: ClassVar[bool] = False

    kind: Literal["noisy_picture_task"]
    source: str
    """The source with the pictures."""
    pictures: PictureSizes
    """Drawn from all pictures of the source; learning rates are chosen on ``val``."""
    noisy_class: PictureClass
    """The class whose task has random labels."""
    levels: Annotated[list[Annotated[float, Field(ge=0, le=100)]], Field(min_length=1)]
    """Percent of that task's training labels that are random."""
    width: PositiveInt
    """Width of the shared layer."""
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: RateOrGrid
    """One for all, or a grid from which each method's own is chosen by :func:`noise_trials`."""


def run(config: NoisyPictureTask, seed: int, rates: Mapping[str, float], place: Path) -> Iterator[Row]:
    """Areas under ROC under right test labels: ``clean_tasks`` (mean of the other nine) and ``noisy_task``.

    For SVD re-weighting also ``noisy_weight``, the noisy task's share of the total weight; an even share is 0.1.
    """
    splits = centred(Pictures(place).draw(config.pictures, _EXPERIMENT, seed))
    for level in config.levels:
        for method in map(row_name, config.methods):
            rate = rate_of(config.learning_rate, rates, method)
            for measure, value in _trained(config, splits, level, method, rate, seed, "test"):
                yield Row(ON_PICTURES, level, method, measure, value)


def noise_trials(config: NoisyPictureTask, place: Path) -> list[Trial]:
    """Each method's trials: ``clean_tasks`` on validation pictures of tuning seeds, mean over the levels."""
    if not isinstance(config.learning_rate, RateGrid):
        return []
    pictures = Pictures(place)
    drawn = {seed: centred(pictures.draw(config.pictures, _EXPERIMENT, seed)) for seed in config.learning_rate.seeds}

    def score(method: str, rate: float, seed: int) -> float:
        cells = (_trained(config, drawn[seed], level, method, rate, seed, "val") for level in config.levels)
        return float(np.mean([dict(cell)["clean_tasks"] for cell in cells]))

    return list(tuning_trials(config.learning_rate, list(map(row_name, config.methods)), score))


def centred(splits: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, tuple[Tensor, Tensor]]:
    """Every split less the mean picture of training."""
    mean = splits["train"][0].mean(dim=0)
    return {name: (images - mean, labels) for name, (images, labels) in splits.items()}


def with_random_labels(data: Samples, name: str, share: float, seed: int) -> Samples:
    """The data with a share of one task's labels replaced by random ones; with one seed, larger shares hold smaller."""
    generator = generator_for(_EXPERIMENT, seed, "augmentation")
    chosen = torch.randperm(len(data), generator=generator)[: round(share * len(data))]
    random = torch.randint(2, (len(data),), generator=generator)
    labels = data.targets[name].clone()
    labels[chosen] = random[chosen]
    return Samples(data.inputs, data.targets | {name: labels})


def _trained(
    config: NoisyPictureTask,
    splits: Mapping[str, tuple[Tensor, Tensor]],
    level: float,
    name: str,
    rate: float,
    seed: int,
    split: str,
) -> Iterator[tuple[str, float]]:
    """One row's measures."""
    method = config.build(next(chosen for chosen in config.methods if row_name(chosen) == name))
    data = with_random_labels(class_samples(splits["train"]), config.noisy_class, level / 100, seed)
    recipe = narrow_recipe(_EXPERIMENT, seed, rate, config.width, Schedule(config.epochs, config.batch_size))
    areas = areas_on(recipe.train(method, data, None), class_samples(splits[split]))
    yield "noisy_task", areas.pop(config.noisy_class)
    yield "clean_tasks", float(np.mean(list(areas.values())))
    if isinstance(method, SVDReweighting):
        yield "noisy_weight", (method.weights[PICTURE_CLASSES.index(config.noisy_class)] / method.weights.sum()).item()
