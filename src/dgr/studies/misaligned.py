"""Two tasks with the same kind of inputs, but the second one's rotated: the data of study W2."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from scipy.ndimage import rotate
from scipy.stats import ortho_group
from torch import Tensor

from dgr.config.parsing import Strict
from dgr.core.arrays import FloatArray
from dgr.core.task import Task
from dgr.datasets.digit_pairs import split_by_class
from dgr.datasets.kinds.multimnist import DIGIT, read_digits

TASK_NAMES = ("first", "second")
DIGIT_CLASSES = 10
POOLING = 2
"""Side of the squares of pixels that are averaged: digits have 14×14 numbers."""


class SyntheticData(Strict):
    """Linear regressions y = xᵀθ plus noise, with x normal and of a falling spectrum.

    The second task's inputs and its θ are turned by a rotation that turns each of half as many random planes by the
    level, so that undoing it makes the two tasks one.
    """

    kind: Literal["synthetic"]
    dimension: Annotated[int, Field(ge=2, multiple_of=2)]
    """Of x."""
    decay: PositiveFloat
    """The j-th standard deviation of x is j to the power of minus this, before a rotation common to both tasks."""
    noise: PositiveFloat
    """Standard deviation of the noise over that of y."""
    train: PositiveInt
    """Samples of each task."""
    test: PositiveInt
    """Samples of each task."""


class DigitsData(Strict):
    """Real digits of ten classes, different ones for each task; the second task's images are turned by the level.

    Pixels in [0, 1], averaged to 14×14, less the mean of the task's training images.
    """

    kind: Literal["digits"]
    train: Annotated[int, Field(multiple_of=DIGIT_CLASSES, gt=0)]
    """Images of each task, as many of each class."""
    test: Annotated[int, Field(multiple_of=DIGIT_CLASSES, gt=0)]
    """Images of each task, as many of each class."""


class TaskSplit(NamedTuple):
    """Inputs ``(samples, width)``, float32, and targets as the task's loss wants them."""

    inputs: Tensor
    targets: Tensor


class TaskData(NamedTuple):
    """A task and its own samples."""

    task: Task
    train: TaskSplit
    test: TaskSplit


def draw_data(config: SyntheticData | DigitsData, degrees: float, seed: int) -> list[TaskData]:
    """Both tasks; of one seed, levels differ in the angle alone."""
    generator = np.random.default_rng(seed)
    if isinstance(config, SyntheticData):
        return _synthetic(config, degrees, generator)
    return _digits(config, degrees, generator)


def plane_rotation(dimension: int, degrees: float, generator: np.random.Generator) -> FloatArray:
    """An orthonormal matrix that turns half as many random, mutually orthogonal planes as there are dimensions."""
    basis: FloatArray = ortho_group.rvs(dimension, random_state=generator)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found: FloatArray = basis.T @ np.kron(np.eye(dimension // 2), turn) @ basis
    return found


def _synthetic(config: SyntheticData, degrees: float, generator: np.random.Generator) -> list[TaskData]:
    deviations = np.arange(1, config.dimension + 1) ** -config.decay
    mixing = np.diag(deviations) @ ortho_group.rvs(config.dimension, random_state=generator)
    theta = generator.standard_normal(config.dimension)
    # So that y has variance 1.
    theta /= np.linalg.norm(mixing @ theta)
    turns = [np.eye(config.dimension), plane_rotation(config.dimension, degrees, generator)]
    found = []
    for name, turn in zip(TASK_NAMES, turns, strict=True):
        inputs = generator.standard_normal((config.train + config.test, config.dimension)) @ mixing
        targets = inputs @ theta + config.noise * generator.standard_normal(len(inputs))
        whole = TaskSplit(torch.from_numpy(inputs @ turn).float(), torch.from_numpy(targets).float()[:, None])
        train, test = (TaskSplit(*(part[rows] for part in whole)) for rows in _parts(config.train))
        found.append(TaskData(Task(name, "regression"), train, test))
    return found


def _parts(train: int) -> tuple[slice, slice]:
    return slice(None, train), slice(train, None)


def _digits(config: DigitsData, degrees: float, generator: np.random.Generator) -> list[TaskData]:
    images, labels = read_digits()
    # Twice as many of each class, of which the tasks get every other one.
    chosen = split_by_class(labels, {"train": 2 * config.train, "test": 2 * config.test}, generator)
    found = []
    for index, (name, angle) in enumerate(zip(TASK_NAMES, (0.0, degrees), strict=True)):
        rows = {split: members.reshape(DIGIT_CLASSES, -1)[:, index::2].ravel() for split, members in chosen.items()}
        inputs = {split: _turned(images[members], angle) for split, members in rows.items()}
        mean = inputs["train"].mean(axis=0)
        train, test = (
            TaskSplit(torch.from_numpy(inputs[s] - mean).float(), torch.from_numpy(labels[rows[s]].astype(np.int64)))
            for s in ("train", "test")
        )
        found.append(TaskData(Task(name, "classification", DIGIT_CLASSES), train, test))
    return found


def _turned(images: FloatArray, degrees: float) -> FloatArray:
    squares = images.reshape(-1, DIGIT, DIGIT) / 255
    turned = rotate(squares, degrees, axes=(1, 2), reshape=False, order=1) if degrees else squares
    side = DIGIT // POOLING
    pooled: FloatArray = turned.reshape(-1, side, POOLING, side, POOLING).mean(axis=(2, 4)).reshape(len(images), -1)
    return pooled
