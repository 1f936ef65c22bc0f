"""Study W2: does covariance alignment help tasks whose inputs are rotated against each other?

Method of Wu, Zhang, Ré, ICLR 2020, arXiv 2005.00944; the data and sizes are ours. Two tasks, each with inputs of its
own (:mod:`dgr.studies.misaligned`), share one layer that is too narrow for both: g(X_i R_i B) A_i. The matrices R are
not constrained, so that alignment also adds capacity. What that does by itself is told by two references
(:mod:`dgr.studies.alignment_layers`): as many free numbers in layers that both tasks share, which can align nothing,
and matrices R that are orthogonal, which can do little but align; and by the level 0, where nothing is misaligned.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn
from typing_extensions import override

from dgr.config.parsing import Strict
from dgr.core.seeds import generator_for, seed_for
from dgr.models.model import MultiTaskModel
from dgr.studies.alignment_layers import FRONTS, moved
from dgr.studies.covariance_similarity import covariance_cosine, covariance_similarity
from dgr.studies.misaligned import DigitsData, SyntheticData, TaskData, TaskSplit, draw_data
from dgr.studies.row import Row


class AlignmentSetting(Strict):
    """One kind of data, with the model and the training that suit it; Adam throughout."""

    data: Annotated[SyntheticData | DigitsData, Field(discriminator="kind")]
    """Which data."""
    width: PositiveInt
    """Width r of the shared layer."""
    activation: Literal["identity", "relu"]
    """Between the shared layer and the tasks' own."""
    steps: PositiveInt
    """Of every method in total."""
    joint_steps: PositiveInt
    """Those before layers are put in front and B is frozen; they are the first steps of equal weighting."""
    batch_size: PositiveInt
    learning_rate: PositiveFloat

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.joint_steps >= self.steps:
            raise ValueError(f"joint_steps must be less than steps, {self.steps}, but is {self.joint_steps}")
        return self


class Alignment(Strict):
    """Settings of the study."""

    kind: Literal["alignment"]
    levels: Annotated[list[Annotated[float, Field(ge=0, le=180)]], Field(min_length=1)]
    """Degrees by which the second task's inputs are rotated."""
    settings: Annotated[dict[str, AlignmentSetting], Field(min_length=1)]
    """By name; each is a block of the table."""


class View(nn.Module):
    """The prediction of one task of a model."""

    def __init__(self, model: MultiTaskModel, task: str) -> None:
        super().__init__()
        self.model = model
        self.task = task

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        prediction: Tensor = self.model(inputs)[self.task]
        return prediction


def run(config: Alignment, seed: int) -> Iterator[Row]:
    """Means over the two tasks on test samples: ``accuracy`` for digits, ``test_error`` for synthetic data.

    The error is the mean squared error over the variance of the test targets. For joint learning also ``similarity``
    and ``cosine`` of the training inputs as the shared layer sees them, see :mod:`dgr.studies.covariance_similarity`:
    X_i of equal weighting, X_i R_i of what has layers before it.
    """
    for setting, block in config.settings.items():
        for level in config.levels:
            data = draw_data(block.data, level, seed_for(f"alignment/{setting}", seed, "split"))
            for method, measure, value in _compare(setting, block, data, seed):
                yield Row(setting, level, method, measure, value)


def _compare(
    setting: str, block: AlignmentSetting, data: Sequence[TaskData], seed: int
) -> Iterator[tuple[str, str, float]]:
    order = generator_for(f"alignment/{setting}", seed, "batch_order")
    joint = _model(setting, block, data, seed)
    alone = [copy.deepcopy(joint) for _ in data]
    start = order.get_state()
    _train([View(joint, each.task.name) for each in data], data, block, block.joint_steps, order)
    middle, rest = order.get_state(), block.steps - block.joint_steps
    fronted = {name: front(copy.deepcopy(joint), data[0].train.inputs.shape[1]) for name, front in FRONTS.items()}
    for model in (*fronted.values(), joint):
        order.set_state(middle)
        _train([View(model, each.task.name) for each in data], data, block, rest, order)
    order.set_state(start)
    views = [View(model, each.task.name) for model, each in zip(alone, data, strict=True)]
    for steps in (block.joint_steps, rest):  # a fresh optimizer, as for the others
        _train(views, data, block, steps, order)

    models = {"single_task": alone, "equal_weighting": [joint] * len(data)}
    models |= {name: [model] * len(data) for name, model in fronted.items()}
    for method, chosen in models.items():
        results = [_evaluated(View(model, each.task.name), each) for model, each in zip(chosen, data, strict=True)]
        measure = "accuracy" if data[0].task.kind == "classification" else "test_error"
        yield method, measure, sum(results) / len(results)
    inputs = [each.train.inputs.double() for each in data]
    seen = {"equal_weighting": inputs} | {name: moved(model, inputs) for name, model in fronted.items()}
    for method, (first, second) in seen.items():
        yield method, "similarity", covariance_similarity(first.numpy(), second.numpy())
        yield method, "cosine", covariance_cosine(first.numpy(), second.numpy())


def _model(setting: str, block: AlignmentSetting, data: Sequence[TaskData], seed: int) -> MultiTaskModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(f"alignment/{setting}", seed, "initialization"))
        layers: list[nn.Module] = [nn.Linear(data[0].train.inputs.shape[1], block.width, bias=False)]
        layers += [nn.ReLU()] if block.activation == "relu" else []
        heads = {each.task.name: nn.Linear(block.width, each.task.outputs, bias=False) for each in data}
        return MultiTaskModel(nn.Sequential(*layers), heads)


def _train(
    views: Sequence[nn.Module], data: Sequence[TaskData], block: AlignmentSetting, steps: int, order: torch.Generator
) -> None:
    """The sum of the tasks' losses, each on a batch of its own inputs; frozen parameters stay."""
    parameters = {id(p): p for view in views for p in view.parameters() if p.requires_grad}
    optimizer = torch.optim.Adam(list(parameters.values()), block.learning_rate, fused=True)
    for _ in range(steps):
        optimizer.zero_grad()
        losses = []
        for view, each in zip(views, data, strict=True):
            rows = torch.randperm(len(each.train.inputs), generator=order)[: block.batch_size]
            losses.append(each.task.loss(view(each.train.inputs[rows]), each.train.targets[rows]))
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@torch.no_grad()
def _evaluated(view: nn.Module, data: TaskData) -> float:
    test: TaskSplit = data.test
    prediction = view(test.inputs)
    if data.task.kind == "classification":
        return float((prediction.argmax(dim=1) == test.targets).double().mean())
    return float(np.mean((prediction - test.targets).numpy() ** 2) / np.var(test.targets.numpy()))
