"""Study W3: does SVD re-weighting keep a task with random labels from harming the others?

Method and question of Wu, Zhang, Ré, ICLR 2020, arXiv 2005.00944 (there: chest X-rays, 20 % random labels on one
task); the data and sizes are ours: five questions with two answers about the same real digits, and one shared ReLU
layer. A random label is drawn evenly from both answers, so that half of them stay right. Inputs are less the training
mean: otherwise the mean image is the first direction of every task.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from dgr.config.runs import SplitName
from dgr.core.seeds import generator_for, seed_for
from dgr.core.task import Task
from dgr.datasets.digit_pairs import split_by_class
from dgr.datasets.kinds.multimnist import read_digits
from dgr.methods.svd_reweighting import SVDReweighting
from dgr.models.model import MultiTaskModel
from dgr.studies.compared import ComparesMethods, row_name
from dgr.studies.row import Row
from dgr.studies.samples import Recipe, Samples, Schedule, accuracies_on

_EXPERIMENT = "noisy_task"
SETTING = "digits"
QUESTIONS = {
    "odd": (1, 3, 5, 7, 9),
    "five_or_more": (5, 6, 7, 8, 9),
    "prime": (2, 3, 5, 7),
    "closed_loop": (0, 6, 8, 9),
    "multiple_of_three": (0, 3, 6, 9),
}
"""The digits for which the answer is yes, by task."""
QUESTION_TASKS = tuple(Task(name, "classification", 2) for name in QUESTIONS)


class NoisyTask(ComparesMethods):
    """Sizes and settings of the study; Adam throughout."""

    num_tasks: ClassVar[int] = len(QUESTION_TASKS)
    has_held_out: ClassVar[bool] = False

    kind: Literal["noisy_task"]
    digits: dict[Literal["train", "test"], PositiveInt]
    """Samples of each split, as many of each digit."""
    noisy_task: Literal["odd", "five_or_more", "prime", "closed_loop", "multiple_of_three"]
    """The task whose labels are made random."""
    levels: Annotated[list[Annotated[float, Field(ge=0, le=100)]], Field(min_length=1)]
    """Percent of the noisy task's training labels that are random."""
    width: PositiveInt
    """Width of the shared layer."""
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat


def run(config: NoisyTask, seed: int) -> Iterator[Row]:
    """Test accuracy under right labels: ``clean_tasks`` (mean of the others) and ``noisy_task``.

    For SVD re-weighting also ``noisy_weight``, the noisy task's share of the total weight; an even share is 0.2.
    """
    splits = draw_question_splits(config, seed)
    recipe = _recipe(config, splits["train"].inputs.shape[1], seed)
    for level in config.levels:
        noisy = randomise(splits["train"], config.noisy_task, level / 100, seed)
        for chosen in config.methods:
            method, label = config.build(chosen), row_name(chosen)
            accuracies = accuracies_on(recipe.train(method, noisy, None), splits["test"])
            yield Row(SETTING, level, label, "noisy_task", accuracies.pop(config.noisy_task))
            yield Row(SETTING, level, label, "clean_tasks", sum(accuracies.values()) / len(accuracies))
            if isinstance(method, SVDReweighting):
                share = method.weights[list(QUESTIONS).index(config.noisy_task)] / method.weights.sum()
                yield Row(SETTING, level, label, "noisy_weight", share.item())


def draw_question_splits(config: NoisyTask, seed: int) -> dict[SplitName, Samples]:
    """Digits as vectors of 784 numbers and the answers to all questions; splits share no image."""
    images, labels = read_digits()
    sizes: dict[SplitName, int] = dict(config.digits.items())
    chosen = split_by_class(labels, sizes, np.random.default_rng(seed_for(_EXPERIMENT, seed, "split")))
    mean = images[chosen["train"]].mean(axis=0)
    return {
        split: Samples(
            torch.from_numpy((images[rows] - mean) / 255).float(),
            {name: torch.from_numpy(np.isin(labels[rows], yes).astype(np.int64)) for name, yes in QUESTIONS.items()},
        )
        for split, rows in chosen.items()
    }


def randomise(data: Samples, task: str, share: float, seed: int) -> Samples:
    """The data with a share of one task's labels replaced by random ones; with one seed, larger shares hold smaller."""
    generator = generator_for(_EXPERIMENT, seed, "augmentation")
    chosen = torch.randperm(len(data), generator=generator)[: round(share * len(data))]
    random: Tensor = torch.randint(2, (len(data),), generator=generator)
    labels = data.targets[task].clone()
    labels[chosen] = random[chosen]
    return Samples(data.inputs, data.targets | {task: labels})


def _recipe(config: NoisyTask, inputs: int, seed: int) -> Recipe:
    def make_model() -> MultiTaskModel:
        encoder = nn.Sequential(nn.Linear(inputs, config.width), nn.ReLU())
        return MultiTaskModel(encoder, {task.name: nn.Linear(config.width, task.outputs) for task in QUESTION_TASKS})

    optimizer = partial(torch.optim.Adam, lr=config.learning_rate, fused=True)
    return Recipe(_EXPERIMENT, seed, QUESTION_TASKS, make_model, optimizer, Schedule(config.epochs, config.batch_size))
