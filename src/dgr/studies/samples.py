"""Data of a study that lie in memory, and training over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dgr.core.seeds import generator_for, seed_for
from dgr.core.task import Batch, Task
from dgr.datasets.kinds import multimnist, rooms
from dgr.datasets.prepared import as_inputs
from dgr.methods.shared.base import Method, forward
from dgr.models.model import MultiTaskModel

MadeHere = multimnist.Config | rooms.Config
AfterStep = Callable[[Tensor], None]
"""Called with the rows of the batch that was trained on."""


@dataclass(frozen=True)
class Samples:
    """Inputs ``(samples, …)`` and the targets of each task, ``(samples, …)``."""

    inputs: Tensor
    targets: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.inputs)

    def __add__(self, other: Samples) -> Samples:
        targets = {name: torch.cat([target, other.targets[name]]) for name, target in self.targets.items()}
        return Samples(torch.cat([self.inputs, other.inputs]), targets)

    def rows(self, index: Tensor) -> Batch:
        """A batch."""
        return self.inputs[index], {name: target[index] for name, target in self.targets.items()}


@dataclass(frozen=True)
class Schedule:
    """How long a study trains, and on how much at once; held-out batches are drawn anew for each step."""

    epochs: int
    batch_size: int
    held_out_size: int = 0


@dataclass(frozen=True)
class Recipe:
    """What is trained, and how; all methods of a seed start alike and see the same batches.

    Attributes:
        experiment: names the random streams.
        seed: of the run.
        tasks: the tasks.
        make_model: makes a fresh model from torch's global random state.
        make_optimizer: makes the optimizer of a list of parameters.
        schedule: epochs and sizes of batches.
        make_regularizer: makes the regularizer of a fresh model; none without.
    """

    experiment: str
    seed: int
    tasks: Sequence[Task]
    make_model: Callable[[], MultiTaskModel]
    make_optimizer: Callable[[list[nn.Parameter]], Optimizer]
    schedule: Schedule
    make_regularizer: Callable[[MultiTaskModel], nn.Module] | None = None

    def train(
        self, method: Method, data: Samples, held_out: Samples | None, after_step: AfterStep | None = None
    ) -> MultiTaskModel:
        """A model after training; the caller's random state is left alone.

        Args:
            method: turns losses into gradients; its ``begin`` is called first.
            data: what it is trained on.
            held_out: where methods that want other data get it.
            after_step: called after each step with the rows that it saw.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_for(self.experiment, self.seed, "initialization"))
            model = self.make_model()
            regularizer = None if self.make_regularizer is None else self.make_regularizer(model)
            torch.manual_seed(seed_for(self.experiment, self.seed, "balancer"))
            optimizer = self.make_optimizer([*model.parameters(), *method.parameters()])
            model.train()
            size = self.schedule.batch_size
            method.begin(self.tasks, (data.rows(rows) for rows in _parts(torch.arange(len(data)), size)))
            order = generator_for(self.experiment, self.seed, "batch_order")
            other = generator_for(self.experiment, self.seed, "held_out")
            for _ in range(self.schedule.epochs):
                for rows in _parts(torch.randperm(len(data), generator=order), size):
                    batch = self._held_out(held_out, other) if method.needs_held_out else None
                    optimizer.zero_grad()
                    method.backward(forward(model, self.tasks, regularizer, data.rows(rows), batch, optimizer))
                    optimizer.step()
                    if after_step is not None:
                        after_step(rows)
                method.end_epoch()
        return model

    def _held_out(self, held_out: Samples | None, generator: torch.Generator) -> Batch | None:
        if held_out is None:
            return None
        rows = torch.randperm(len(held_out), generator=generator)[: self.schedule.held_out_size]
        return held_out.rows(rows)


def samples_of(config: MadeHere, arrays: Mapping[str, np.ndarray]) -> Samples:
    """One split of a data set that is made here."""
    images = torch.from_numpy(arrays["images"]).view(-1, *config.image_shape)
    targets = {task.name: torch.from_numpy(arrays[task.name]) for task in config.tasks}
    return Samples(as_inputs(images), targets)


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
