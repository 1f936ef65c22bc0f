r"""Study S1: a toy regression with wrong targets on the main task.

Targets :math:`y_t = |\sigma_t \tanh((B + \varepsilon_t)x)|` with :math:`B_j \sim N(0, 1)`,
:math:`\varepsilon_{t,j} \sim N(0, 3.5)` (variance) and :math:`x \sim N(0, I)`. A share of the main task's training
targets is replaced, by −0.5 or by draws from N(0, 0.2) (variance). Source: Grégoire, Chaudhary, Verboven, arXiv
2306.04519, released code. Our choices, since not available: :math:`\sigma_t`, the main task is the one with the wrong
targets, a single output. In 250 dimensions the argument of tanh is large, so that right targets lie close to
:math:`\sigma_t`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from dgr.config.runs import SplitName
from dgr.core.seeds import generator_for
from dgr.core.task import Task
from dgr.methods.registry import build_method
from dgr.methods.slgrad import SLGrad
from dgr.models.model import MultiTaskModel
from dgr.studies.compared import ComparesMethods, row_name
from dgr.studies.row import Row
from dgr.studies.sample_detection import WITH_HELD_OUT, WeightRecorder, detection
from dgr.studies.samples import Recipe, Samples, Schedule, losses_on

_EXPERIMENT = "noisy_regression"
MAIN, OTHER = "main", "other"
REGRESSION_TASKS = (Task(MAIN, "regression"), Task(OTHER, "regression"))
Noise = Literal["constant", "gaussian"]


class NoisyRegression(ComparesMethods):
    """Sizes and settings of the study."""

    num_tasks: ClassVar[int] = len(REGRESSION_TASKS)
    main_task: ClassVar[str | None] = MAIN

    kind: Literal["noisy_regression"]
    inputs: PositiveInt
    """Dimension of x."""
    samples: dict[SplitName, PositiveInt]
    """Of each split."""
    scales: Annotated[list[PositiveFloat], Field(min_length=2, max_length=2)]
    """σ of each task."""
    task_variance: PositiveFloat
    """Of ε, which sets the tasks apart."""
    noise: Annotated[list[Noise], Field(min_length=1)]
    """What wrong targets are replaced by: −0.5, or normal numbers."""
    levels: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=1)]
    """Share of the main task's training targets that are wrong."""
    width: PositiveInt
    """Of every hidden layer."""
    shared_layers: PositiveInt
    """Their number."""
    task_layers: PositiveInt
    """Their number, of each task."""
    epochs: PositiveInt
    batch_size: PositiveInt
    held_out_size: PositiveInt
    """Samples of each held-out batch."""
    learning_rate: PositiveFloat
    momentum: Annotated[float, Field(ge=0, lt=1)]


def run(config: NoisyRegression, seed: int) -> Iterator[Row]:
    """Test error of each task against right targets; for SLGrad, how well its weights find the wrong ones.

    Beside the methods stands equal weighting that is trained on the held-out data too (:data:`WITH_HELD_OUT`), since
    SLGrad profits from them as well. Measures: ``main_error``, ``other_error`` (mean squared error), and those of
    :func:`dgr.studies.sample_detection.detection`.
    """
    clean, recipe = make_data(config, seed), _recipe(config, seed)
    for noise in config.noise:
        for level in config.levels:
            data, wrong = corrupt_targets(clean["train"], noise, level, seed)
            for chosen in config.methods:
                method = config.build(chosen)
                recorder = WeightRecorder(method, 0, len(data)) if isinstance(method, SLGrad) else None
                model = recipe.train(method, data, clean["val"], recorder)
                for measure, value in _errors(model, clean["test"]):
                    yield Row(noise, level, row_name(chosen), measure, value)
                if recorder is not None:
                    for measure, value in detection(recorder.total, wrong):
                        yield Row(noise, level, row_name(chosen), measure, value)
            plain = recipe.train(build_method("equal_weighting", len(REGRESSION_TASKS)), data + clean["val"], None)
            for measure, value in _errors(plain, clean["test"]):
                yield Row(noise, level, WITH_HELD_OUT, measure, value)


def _errors(model: MultiTaskModel, test: Samples) -> Iterator[tuple[str, float]]:
    return ((f"{name}_error", loss) for name, loss in losses_on(model, REGRESSION_TASKS, test).items())


def make_data(config: NoisyRegression, seed: int) -> dict[str, Samples]:
    """Right targets of every split, from one draw of B and ε."""
    generator = generator_for(_EXPERIMENT, seed, "split")
    shared = torch.randn(config.inputs, generator=generator)
    own = config.task_variance**0.5 * torch.randn(2, config.inputs, generator=generator)
    splits = {}
    for name, size in config.samples.items():
        x = torch.randn(size, config.inputs, generator=generator)
        values = (torch.tensor(config.scales) * torch.tanh(x @ (shared + own).T)).abs()
        targets = {task.name: values[:, [index]] for index, task in enumerate(REGRESSION_TASKS)}
        splits[str(name)] = Samples(x, targets)
    return splits


def corrupt_targets(data: Samples, noise: Noise, level: float, seed: int) -> tuple[Samples, Tensor]:
    """The data with a share of the main task's targets replaced, and which those are."""
    generator = generator_for(_EXPERIMENT, seed, "augmentation")
    wrong = torch.zeros(len(data), dtype=torch.bool)
    wrong[torch.randperm(len(data), generator=generator)[: round(level * len(data))]] = True
    draws = 0.2**0.5 * torch.randn(len(data), 1, generator=generator)
    instead = torch.full_like(draws, -0.5) if noise == "constant" else draws
    main = torch.where(wrong[:, None], instead, data.targets[MAIN])
    return Samples(data.inputs, data.targets | {MAIN: main}), wrong


def _recipe(config: NoisyRegression, seed: int) -> Recipe:
    return Recipe(
        _EXPERIMENT,
        seed,
        REGRESSION_TASKS,
        partial(_model, config),
        partial(torch.optim.SGD, lr=config.learning_rate, momentum=config.momentum, fused=True),
        Schedule(config.epochs, config.batch_size, config.held_out_size),
    )


def _model(config: NoisyRegression) -> MultiTaskModel:
    def layers(number: int, width: int) -> list[nn.Module]:
        widths = [width] + [config.width] * number
        pairs = itertools.pairwise(widths)
        return [layer for before, after in pairs for layer in (nn.Linear(before, after), nn.ReLU())]

    encoder = nn.Sequential(*layers(config.shared_layers, config.inputs))
    heads = {
        task.name: nn.Sequential(*layers(config.task_layers - 1, config.width), nn.Linear(config.width, 1))
        for task in REGRESSION_TASKS
    }
    return MultiTaskModel(encoder, heads)
