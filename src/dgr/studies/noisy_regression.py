r"""Study S1: a toy regression with wrong targets on the main task.

Targets :math:`y_t = \sigma_t \tanh(u_t)` with :math:`u_t = a (B + \varepsilon_t)x / \sqrt{d (1 + v)}`,
:math:`B_j \sim N(0, 1)`, :math:`\varepsilon_{t,j} \sim N(0, v)` (variance) and :math:`x \sim N(0, I_d)`. A share of the
main task's training targets is replaced, by −0.5 or by draws from N(0, 0.2) (variance). After Grégoire, Chaudhary,
Verboven, arXiv 2306.04519, released code.

What differs from that code, and why: there the argument of tanh is not scaled (a standard deviation of 34 in its 250
dimensions) and :math:`y_t` is the absolute value, so that nearly all right targets equal :math:`\sigma_t`, a constant
predicts them, and −0.5 lies outside their range. Here the standard deviation of :math:`u_t` is :math:`a`, the sign is
kept, and there are fewer inputs, so that targets vary and can be learned. Our choices, since not available:
:math:`\sigma_t`, the main task is the one with the wrong targets, a single output.
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
from dgr.methods.shared.base import Method
from dgr.methods.slgrad import SLGrad
from dgr.models.model import MultiTaskModel
from dgr.studies.compared import ComparesMethods, row_name
from dgr.studies.row import Row
from dgr.studies.sample_detection import CLEAN_ONLY, HELD_OUT_ONLY, WITH_HELD_OUT, WeightRecorder, detection
from dgr.studies.samples import Recipe, Samples, Schedule, losses_on

_EXPERIMENT = "noisy_regression"
CONSTANT = "constant"
"""The row of the mean of the held-out targets."""
MAIN, OTHER = "main", "other"
REGRESSION_TASKS = (Task(MAIN, "regression"), Task(OTHER, "regression"))
Noise = Literal["constant", "gaussian"]
Errors = dict[str, float]
"""By measure."""


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
    """v, of ε, which sets the tasks apart."""
    gain: PositiveFloat
    """a, the standard deviation of tanh's argument: above about 3 targets are two constants."""
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

    SLGrad alone of the methods sees held-out samples, whose targets are right. Beside the methods stand therefore four
    rows that say what these samples are worth: equal weighting on training and held-out data (:data:`WITH_HELD_OUT`),
    on held-out data alone (:data:`HELD_OUT_ONLY`), on the training samples with right targets, an oracle
    (:data:`CLEAN_ONLY`), and the mean of the held-out targets (:data:`CONSTANT`). Measures: ``main_error``,
    ``other_error`` (mean squared error), and those of :func:`dgr.studies.sample_detection.detection`.
    """
    clean, recipe = make_data(config, seed), _recipe(config, seed)
    held_out, test = clean["val"], clean["test"]

    def errors_of(data: Samples, method: Method | None = None, recorder: WeightRecorder | None = None) -> Errors:
        model = recipe.train(method or build_method("equal_weighting", config.num_tasks), data, held_out, recorder)
        return {f"{name}_error": loss for name, loss in losses_on(model, REGRESSION_TASKS, test).items()}

    fixed = {HELD_OUT_ONLY: errors_of(held_out), CONSTANT: _constant_errors(held_out, test)}
    for noise in config.noise:
        for level in config.levels:
            data, wrong = corrupt_targets(clean["train"], noise, level, seed)
            found = dict(fixed)
            for chosen in config.methods:
                method = config.build(chosen)
                recorder = WeightRecorder(method, 0, len(data)) if isinstance(method, SLGrad) else None
                found[row_name(chosen)] = errors_of(data, method, recorder)
                if recorder is not None:
                    found[row_name(chosen)] |= dict(detection(recorder.total, wrong))
            found[WITH_HELD_OUT] = errors_of(data + held_out)
            found[CLEAN_ONLY] = errors_of(Samples(*data.rows((~wrong).nonzero().flatten())))
            for name, values in found.items():
                yield from (Row(noise, level, name, measure, value) for measure, value in values.items())


def _constant_errors(held_out: Samples, test: Samples) -> Errors:
    """Of answering with the mean of the held-out targets."""
    return {
        f"{name}_error": torch.mean((test.targets[name] - target.mean()) ** 2).item()
        for name, target in held_out.targets.items()
    }


def make_data(config: NoisyRegression, seed: int) -> dict[str, Samples]:
    """Right targets of every split, from one draw of B and ε."""
    generator = generator_for(_EXPERIMENT, seed, "split")
    shared = torch.randn(config.inputs, generator=generator)
    own = config.task_variance**0.5 * torch.randn(2, config.inputs, generator=generator)
    slope = config.gain / (config.inputs * (1 + config.task_variance)) ** 0.5
    splits = {}
    for name, size in config.samples.items():
        x = torch.randn(size, config.inputs, generator=generator)
        values = torch.tensor(config.scales) * torch.tanh(slope * (x @ (shared + own).T))
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
