"""Study S3: ten tasks on CIFAR-10, each class against the rest, with wrong labels on the main one.

Set-up of Grégoire, Chaudhary, Verboven, arXiv 2306.04519 (released code), in the sizes of its file. As in study S2, on
digits, whose reading of both kinds of flips it takes: each row has a learning rate of its own, and a positive control,
the same training with right labels, says whether there is anything to win back.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from dgr.core.seeds import generator_for
from dgr.methods.registry import build_method
from dgr.methods.slgrad import SLGrad
from dgr.real_studies.one_against_rest import CLASS_TASKS, areas_on, class_samples, lenet_recipe
from dgr.real_studies.pictures import PICTURE_CLASSES, Pictures, PictureSizes
from dgr.studies.compared import ComparesMethods, row_name
from dgr.studies.flipped_labels import CLEAN_LABELS, Flips
from dgr.studies.row import Row
from dgr.studies.sample_detection import HELD_OUT_ONLY, WITH_HELD_OUT, WeightRecorder, detection
from dgr.studies.samples import Samples, Schedule, accuracies_on
from dgr.studies.tuned_rates import RateGrid, RateOrGrid, Trial, rate_of, tuning_trials

_EXPERIMENT = "flipped_pictures"
MAIN_CLASS = "automobile"
"""Of which the paper's choice is not known here; pilots learned this one best from right labels."""
MAIN_LABEL = PICTURE_CLASSES.index(MAIN_CLASS)
TRAINED_BESIDE = (WITH_HELD_OUT, HELD_OUT_ONLY, CLEAN_LABELS)
"""Rows of equal weighting on other data, beside the methods."""
NO_PICTURE = "constant"
"""The row that answers background whatever the picture shows."""


class FlippedPictures(ComparesMethods):
    """Sizes and settings of the study."""

    num_tasks: ClassVar[int] = len(CLASS_TASKS)
    main_task: ClassVar[str | None] = MAIN_CLASS

    kind: Literal["flipped_pictures"]
    source: str
    """The source with the pictures."""
    pictures: PictureSizes
    """Drawn from all pictures of the source, those of its test folder too."""
    flips: Annotated[list[Flips], Field(min_length=1)]
    """``uniform``: any picture's class becomes another at random; ``background``: the main class becomes background."""
    levels: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=1)]
    """Share of training pictures that are mislabelled: of all, or with ``background`` of the main class."""
    epochs: PositiveInt
    batch_size: PositiveInt
    held_out_size: PositiveInt
    """Pictures of each held-out batch."""
    learning_rate: RateOrGrid
    """One for all, or a grid from which each row's own is chosen by :func:`picture_trials`."""
    momentum: Annotated[float, Field(ge=0, lt=1)]


def run(config: FlippedPictures, seed: int, rates: Mapping[str, float], place: Path) -> Iterator[Row]:
    """Test results against right labels; for SLGrad, how well its weights find the wrong ones.

    Rows and measures are those of :func:`dgr.studies.flipped_labels.run`, and one row more, which answers background
    without a look at the picture.
    """
    splits = Pictures(place).draw(config.pictures, _EXPERIMENT, seed)
    right: dict[str, dict[str, float]] = {}
    for cell in itertools.product(config.flips, config.levels):
        for name in _row_names(config):
            rate = rate_of(config.learning_rate, rates, name)
            found = right.get(name) or _trained(config, splits, cell, name, rate, seed)
            if name in (HELD_OUT_ONLY, CLEAN_LABELS):  # the same in every cell
                right[name] = found
            yield from (Row(*cell, name, measure, value) for measure, value in found.items())
        for measure, value in _unlooked(class_samples(splits["test"])):
            yield Row(*cell, NO_PICTURE, measure, value)


def picture_trials(config: FlippedPictures, place: Path) -> list[Trial]:
    """Each row's trials: the main task's area under ROC on test pictures of tuning seeds, mean over kinds of flips."""
    if not isinstance(config.learning_rate, RateGrid):
        return []
    pictures = Pictures(place)
    drawn = {seed: pictures.draw(config.pictures, _EXPERIMENT, seed) for seed in config.learning_rate.seeds}

    def score(name: str, rate: float, seed: int) -> float:
        cells = list(itertools.product(config.flips, config.levels))
        if name in (HELD_OUT_ONLY, CLEAN_LABELS):  # the same in every cell
            cells = cells[:1]
        return float(np.mean([_trained(config, drawn[seed], cell, name, rate, seed)["main_auc"] for cell in cells]))

    return list(tuning_trials(config.learning_rate, _row_names(config), score))


def flipped(data: tuple[Tensor, Tensor], flips: Flips, level: float, seed: int) -> tuple[Samples, Tensor]:
    """The pictures with wrong labels of the main task, and which labels are wrong.

    A flip from one other class to another leaves the main task's label right.
    """
    images, labels = data
    generator = generator_for(_EXPERIMENT, seed, "augmentation")
    candidates = torch.arange(len(labels)) if flips == "uniform" else (labels == MAIN_LABEL).nonzero().flatten()
    chosen = candidates[torch.randperm(len(candidates), generator=generator)[: round(level * len(candidates))]]
    shift = torch.randint(1, len(PICTURE_CLASSES), labels.shape, generator=generator)
    given = labels.clone()
    # From the main class, any flip is one to background.
    given[chosen] = (labels + shift)[chosen] % len(PICTURE_CLASSES)
    whole, main = class_samples(data), (given == MAIN_LABEL).long()
    return Samples(images, whole.targets | {MAIN_CLASS: main}), main != whole.targets[MAIN_CLASS]


def _row_names(config: FlippedPictures) -> list[str]:
    return [*map(row_name, config.methods), *TRAINED_BESIDE]


def _trained(
    config: FlippedPictures,
    splits: Mapping[str, tuple[Tensor, Tensor]],
    cell: tuple[Flips, float],
    name: str,
    rate: float,
    seed: int,
) -> dict[str, float]:
    """One row's measures."""
    data, wrong = flipped(splits["train"], *cell, seed)
    held_out, test = class_samples(splits["val"]), class_samples(splits["test"])
    beside = {WITH_HELD_OUT: data + held_out, HELD_OUT_ONLY: held_out, CLEAN_LABELS: class_samples(splits["train"])}
    method, recorder = build_method("equal_weighting", config.num_tasks), None
    if name not in beside:
        method = config.build(next(chosen for chosen in config.methods if row_name(chosen) == name))
        recorder = WeightRecorder(method, MAIN_LABEL, len(data)) if isinstance(method, SLGrad) else None
    schedule = Schedule(config.epochs, config.batch_size, config.held_out_size)
    recipe = lenet_recipe(_EXPERIMENT, seed, rate, config.momentum, schedule)
    model = recipe.train(method, beside.get(name, data), held_out, recorder)
    accuracies = accuracies_on(model, test)
    found = {"main_auc": areas_on(model, test)[MAIN_CLASS], "main_accuracy": accuracies.pop(MAIN_CLASS)}
    found["other_accuracy"] = float(np.mean(list(accuracies.values())))
    return found if recorder is None else found | dict(detection(recorder.total, wrong, data.targets[MAIN_CLASS]))


def _unlooked(test: Samples) -> Iterator[tuple[str, float]]:
    """What the answer background gives, with the same score for every picture."""
    right = {name: (target == 0).double().mean().item() for name, target in test.targets.items()}
    yield "main_auc", 0.5
    yield "main_accuracy", right.pop(MAIN_CLASS)
    yield "other_accuracy", float(np.mean(list(right.values())))
