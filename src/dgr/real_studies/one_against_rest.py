"""Ten tasks on pictures of ten classes, each class against the rest, with a small convolutional model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from dgr.core.task import Task
from dgr.models.lenet import lenet_encoder
from dgr.models.model import MultiTaskModel
from dgr.real_studies.pictures import PICTURE_CLASSES, PICTURE_SIDE
from dgr.studies.samples import Recipe, Samples, Schedule

CLASS_TASKS = tuple(Task(name, "classification", 2) for name in PICTURE_CLASSES)


def class_samples(data: tuple[Tensor, Tensor]) -> Samples:
    """One binary target a class: is the picture of it."""
    images, labels = data
    return Samples(images, {task.name: (labels == label).long() for label, task in enumerate(CLASS_TASKS)})


def lenet_recipe(experiment: str, seed: int, rate: float, momentum: float, schedule: Schedule) -> Recipe:
    """LeNet with a linear head a class, and SGD."""
    optimizer = partial(torch.optim.SGD, lr=rate, momentum=momentum, fused=True)
    return _recipe(experiment, seed, schedule, optimizer, partial(lenet_encoder, 3, PICTURE_SIDE))


def narrow_recipe(experiment: str, seed: int, rate: float, width: int, schedule: Schedule) -> Recipe:
    """One narrow ReLU layer on all pixels with a linear head a class, and Adam."""

    def encoder() -> tuple[nn.Sequential, int]:
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * PICTURE_SIDE**2, width), nn.ReLU()), width

    return _recipe(experiment, seed, schedule, partial(torch.optim.Adam, lr=rate, fused=True), encoder)


def _recipe(
    experiment: str,
    seed: int,
    schedule: Schedule,
    optimizer: Callable[[list[nn.Parameter]], torch.optim.Optimizer],
    encoder: Callable[[], tuple[nn.Sequential, int]],
) -> Recipe:
    def make_model() -> MultiTaskModel:
        shared, width = encoder()
        return MultiTaskModel(shared, {task.name: nn.Linear(width, task.outputs) for task in CLASS_TASKS})

    return Recipe(experiment, seed, CLASS_TASKS, make_model, optimizer, schedule)


@torch.no_grad()
def areas_on(model: MultiTaskModel, data: Samples) -> dict[str, float]:
    """Area under the ROC curve of each task; NaN where training diverged."""
    predictions = model.eval()(data.inputs)
    scores = {name: (logits[:, 1] - logits[:, 0]).numpy() for name, logits in predictions.items()}
    return {
        name: float(roc_auc_score(data.targets[name].numpy(), score)) if np.isfinite(score).all() else float("nan")
        for name, score in scores.items()
    }
