"""Data of a study: inputs and targets that lie in memory, and training over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from dgr.core.config import MethodConfig
from dgr.core.task import Batch, Task
from dgr.methods.base import Method, forward
from dgr.methods.registry import build_method
from dgr.models.model import MultiTaskModel

AfterStep = Callable[[Tensor], None]
"""Called with the rows of the batch that was trained on."""


@dataclass(frozen=True)
class Samples:
    """Inputs ``(samples, …)`` and the targets of each task, ``(samples, …)``."""

    inputs: Tensor
    targets: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.inputs)

    def rows(self, index: Tensor) -> Batch:
        """A batch."""
        return self.inputs[index], {name: target[index] for name, target in self.targets.items()}


@dataclass(frozen=True)
class Schedule:
    """How long a study trains, and on how much at once; held-out batches are drawn anew for each step."""

    epochs: int
    batch_size: int
    held_out_size: int


def method_label(config: MethodConfig) -> str:
    """A method as a study's rows name it, with options that are switched on: ``single_gradient_step-second_order``."""
    return "-".join([config.name, *(name for name, value in config.options.items() if value is True)])


def method_for(config: MethodConfig, num_tasks: int, main_task: str | None = None) -> Method:
    """A method of the registry; where the study has a main task, one that serves one is told it."""
    wants = main_task is not None and config.name in SERVING_ONE_TASK
    return build_method(config.name, num_tasks, **config.options, **({"main_task": main_task} if wants else {}))


SERVING_ONE_TASK = ("slgrad", "cosine_similarity", "ol_aux")


def train(
    model: MultiTaskModel,
    tasks: Sequence[Task],
    method: Method,
    optimizer: Optimizer,
    data: Samples,
    held_out: Samples,
    schedule: Schedule,
    generator: torch.Generator,
    after_step: AfterStep = lambda rows: None,
) -> None:
    """Train in place; batch order and held-out batches come from the generator.

    Args:
        model: what is trained.
        tasks: its tasks.
        method: turns losses into gradients; its ``begin`` is called first.
        optimizer: over the parameters of the model and the method.
        data: what it is trained on.
        held_out: where methods that want other data get it.
        schedule: epochs and sizes of batches.
        generator: on the CPU.
        after_step: called after each step with the rows that it saw.
    """
    model.train()
    size = schedule.batch_size
    method.begin(tasks, (data.rows(rows) for rows in _parts(torch.arange(len(data)), size)))
    for _ in range(schedule.epochs):
        for rows in _parts(torch.randperm(len(data), generator=generator), size):
            chosen = torch.randperm(len(held_out), generator=generator)[: schedule.held_out_size]
            other = held_out.rows(chosen) if method.needs_held_out else None
            optimizer.zero_grad()
            method.backward(forward(model, tasks, None, data.rows(rows), other, optimizer))
            optimizer.step()
            after_step(rows)
        method.end_epoch()


def _parts(rows: Tensor, size: int) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = torch.split(rows, size)
    return parts


@torch.no_grad()
def losses_on(model: MultiTaskModel, tasks: Sequence[Task], data: Samples) -> dict[str, float]:
    """Mean loss of each task."""
    predictions = model.eval()(data.inputs)
    return {task.name: task.loss(predictions[task.name], data.targets[task.name]).item() for task in tasks}


@torch.no_grad()
def accuracies_on(model: MultiTaskModel, data: Samples) -> dict[str, float]:
    """Share of correct classes of each task."""
    predictions = model.eval()(data.inputs)
    return {
        name: (predictions[name].argmax(dim=1) == target).double().mean().item()
        for name, target in data.targets.items()
    }
