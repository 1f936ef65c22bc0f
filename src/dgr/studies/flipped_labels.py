"""Study S2: ten one-vs-rest tasks on real digits, with wrong labels on the main one.

Set-up of Grégoire, Chaudhary, Verboven, arXiv 2306.04519 (released code: CIFAR-10, LeNet), with the embedded MNIST
digits instead of CIFAR-10. Kinds of flips, our reading: ``uniform``: a share of all training samples gets another
digit, drawn uniformly, from which the main task's label follows; ``background``: a share of the main digit's samples is
called background. Each method has the learning rate that suits it best on tuning seeds; a positive control, the same
training with right labels, says whether the task can be learned at all in this way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, PositiveInt
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from dgr.config.runs import SplitName
from dgr.core.seeds import generator_for, seed_for
from dgr.core.task import Task
from dgr.datasets.digit_pairs import split_by_class
from dgr.datasets.kinds.multimnist import DIGIT, read_digits
from dgr.methods.registry import build_method
from dgr.methods.slgrad import SLGrad
from dgr.models.lenet import lenet_encoder
from dgr.models.model import MultiTaskModel
from dgr.studies.compared import ComparesMethods, row_name
from dgr.studies.row import Row
from dgr.studies.sample_detection import HELD_OUT_ONLY, WITH_HELD_OUT, WeightRecorder, detection
from dgr.studies.samples import Recipe, Samples, Schedule, accuracies_on
from dgr.studies.tuned_rates import RateGrid, RateOrGrid, Trial, rate_of, tuning_trials

_EXPERIMENT = "flipped_labels"
NUM_DIGITS = 10
DIGIT_TASKS = tuple(Task(f"digit{digit}", "classification", 2) for digit in range(NUM_DIGITS))
MAIN_DIGIT = 3
MAIN = DIGIT_TASKS[MAIN_DIGIT].name
Flips = Literal["uniform", "background"]
CLEAN_LABELS = "equal_weighting-clean_labels"
"""The row of equal weighting on training data whose labels are right."""
BESIDE = (WITH_HELD_OUT, HELD_OUT_ONLY, CLEAN_LABELS)
"""Rows beside the methods."""


class FlippedLabels(ComparesMethods):
    """Sizes and settings of the study."""

    num_tasks: ClassVar[int] = len(DIGIT_TASKS)
    main_task: ClassVar[str | None] = MAIN

    kind: Literal["flipped_labels"]
    digits: dict[SplitName, PositiveInt]
    """Samples of each split, class-balanced."""
    flips: Annotated[list[Flips], Field(min_length=1)]
    """``uniform``: any digit becomes another at random; ``background``: the main digit becomes background."""
    levels: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=1)]
    """Share of training samples that are mislabelled: of all, or with ``background`` of the main digit."""
    epochs: PositiveInt
    batch_size: PositiveInt
    held_out_size: PositiveInt
    """Samples of each held-out batch."""
    learning_rate: RateOrGrid
    """One for all, or a grid from which each method's own is chosen by :func:`rate_trials`."""
    momentum: Annotated[float, Field(ge=0, lt=1)]


def run(config: FlippedLabels, seed: int, rates: Mapping[str, float]) -> Iterator[Row]:
    """Test results against right labels; for SLGrad, how well its weights find the wrong ones.

    SLGrad alone of the methods sees held-out samples, whose labels are right. Beside the methods stand therefore equal
    weighting on training and held-out data (:data:`WITH_HELD_OUT`), on held-out data alone (:data:`HELD_OUT_ONLY`), and
    on the training data with right labels, the positive control (:data:`CLEAN_LABELS`). Measures: ``main_accuracy``,
    ``main_auc`` (area under the ROC curve of the main task's prediction), ``other_accuracy`` (mean over the other
    tasks), and those of :func:`dgr.studies.sample_detection.detection`, among samples of the same given label.

    Args:
        config: the settings.
        seed: of data, initialisation and batches.
        rates: the learning rate chosen for each row, where the settings give a grid.
    """
    digits = draw_digit_splits(config, seed)
    for flips in config.flips:
        for level in config.levels:
            for name in _row_names(config):
                rate = rate_of(config.learning_rate, rates, name)
                found = _trained(config, digits, (flips, level), name, rate, seed)
                yield from (Row(flips, level, name, measure, value) for measure, value in found.items())


def rate_trials(config: FlippedLabels) -> list[Trial]:
    """Each row's trials: the main task's area under ROC on test samples of tuning seeds, mean over kinds of flips."""
    if not isinstance(config.learning_rate, RateGrid):
        return []

    def score(name: str, rate: float, seed: int) -> float:
        digits = draw_digit_splits(config, seed)
        cells = itertools.product(config.flips, config.levels)
        return float(np.mean([_trained(config, digits, cell, name, rate, seed)["main_auc"] for cell in cells]))

    return list(tuning_trials(config.learning_rate, _row_names(config), score))


def _row_names(config: FlippedLabels) -> list[str]:
    return [*map(row_name, config.methods), *BESIDE]


def _trained(
    config: FlippedLabels,
    digits: Mapping[str, tuple[Tensor, Tensor]],
    cell: tuple[Flips, float],
    name: str,
    rate: float,
    seed: int,
) -> dict[str, float]:
    """One row's measures."""
    data, wrong = flip_labels(digits["train"], *cell, seed)
    held_out = samples(*digits["val"])
    method = build_method("equal_weighting", config.num_tasks)
    recorder = None
    if name not in BESIDE:
        method = config.build(next(chosen for chosen in config.methods if row_name(chosen) == name))
        recorder = WeightRecorder(method, MAIN_DIGIT, len(data)) if isinstance(method, SLGrad) else None
    beside = {WITH_HELD_OUT: data + held_out, HELD_OUT_ONLY: held_out, CLEAN_LABELS: samples(*digits["train"])}
    model = _recipe(config, seed, rate).train(method, beside.get(name, data), held_out, recorder)
    found = dict(_results(model, samples(*digits["test"])))
    return found if recorder is None else found | dict(detection(recorder.total, wrong, data.targets[MAIN]))


def draw_digit_splits(config: FlippedLabels, seed: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Images ``(samples, 1, 28, 28)`` in [0, 1] and digits ``(samples,)`` of each split; splits share no image."""
    images, labels = read_digits()
    generator = np.random.default_rng(seed_for(_EXPERIMENT, seed, "split"))
    inputs = torch.from_numpy(images.astype(np.float32) / 255).view(-1, 1, DIGIT, DIGIT)
    targets = torch.from_numpy(labels.astype(np.int64))
    chosen = split_by_class(labels, config.digits, generator)
    return {str(name): (inputs[rows], targets[rows]) for name, rows in chosen.items()}


def samples(images: Tensor, digits: Tensor) -> Samples:
    """One binary target a digit: is it that one."""
    return Samples(images, {task.name: (digits == digit).long() for digit, task in enumerate(DIGIT_TASKS)})


def flip_labels(data: tuple[Tensor, Tensor], flips: Flips, level: float, seed: int) -> tuple[Samples, Tensor]:
    """The data with wrong labels of the main task, and which labels are wrong.

    A flip from one other digit to another leaves the main task's label right.
    """
    images, digits = data
    generator = generator_for(_EXPERIMENT, seed, "augmentation")
    candidates = torch.arange(len(digits)) if flips == "uniform" else (digits == MAIN_DIGIT).nonzero().flatten()
    chosen = candidates[torch.randperm(len(candidates), generator=generator)[: round(level * len(candidates))]]
    shift = torch.randint(1, NUM_DIGITS, digits.shape, generator=generator)
    given = digits.clone()
    given[chosen] = (digits + shift)[chosen] % NUM_DIGITS
    whole = samples(images, digits)
    label = (given == MAIN_DIGIT).long()
    return Samples(images, whole.targets | {MAIN: label}), label != whole.targets[MAIN]


def _recipe(config: FlippedLabels, seed: int, rate: float) -> Recipe:
    return Recipe(
        _EXPERIMENT,
        seed,
        DIGIT_TASKS,
        _model,
        partial(torch.optim.SGD, lr=rate, momentum=config.momentum, fused=True),
        Schedule(config.epochs, config.batch_size, config.held_out_size),
    )


def _model() -> MultiTaskModel:
    encoder, width = lenet_encoder(1, DIGIT)
    return MultiTaskModel(encoder, {task.name: nn.Linear(width, task.outputs) for task in DIGIT_TASKS})


def _results(model: MultiTaskModel, test: Samples) -> Iterator[tuple[str, float]]:
    accuracies = accuracies_on(model, test)
    yield "main_accuracy", accuracies.pop(MAIN)
    yield "other_accuracy", sum(accuracies.values()) / len(accuracies)
    yield "main_auc", _auc(model, test)


@torch.no_grad()
def _auc(model: MultiTaskModel, data: Samples) -> float:
    logits = model.eval()(data.inputs)[MAIN]
    score = (logits[:, 1] - logits[:, 0]).numpy()
    if not np.isfinite(score).all():
        return float("nan")
    return float(roc_auc_score(data.targets[MAIN].numpy(), score))
