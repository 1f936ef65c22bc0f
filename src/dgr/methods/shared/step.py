"""One training step as a method sees it, and its forward half."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from dgr.core.task import Batch, Task
from dgr.methods.shared.ranks import average
from dgr.models.model import MultiTaskModel


@dataclass
class Step:
    """Everything a method may look at in one training step.

    Attributes:
        model: the model being trained.
        tasks: the tasks, in the order of ``losses``.
        batch: inputs ``(batch, …)`` and targets by task name; a task without targets has None or is left out.
        representation: z of the batch, with its graph back to the encoder.
        predictions: of each task by name, with graphs through ``representation``.
        losses: one scalar a task, with graphs through ``representation``.
        penalty: λR of a regularizer, or None; its backward reaches ``representation`` and nothing else.
        held_out: a second batch, given to methods whose ``needs_held_out`` is true.
        optimizer: what will take the step, for methods that look ahead.
        scaler: scales the loss before its backward pass, for float16; None without one.
    """

    model: MultiTaskModel
    tasks: Sequence[Task]
    batch: Batch
    representation: Tensor
    predictions: dict[str, Tensor]
    losses: Sequence[Tensor]
    penalty: Tensor | None
    held_out: Batch | None
    optimizer: Optimizer
    scaler: torch.amp.GradScaler | None = None

    def __post_init__(self) -> None:
        device = self.representation.device.type
        self._reduced = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None

    def autocast(self) -> torch.autocast:
        """The precision in which the batch was computed, for further passes through the model."""
        device, reduced = self.representation.device.type, self._reduced
        # Without the cache, which knows nothing of parameters that move between two passes.
        return torch.autocast(device, reduced, enabled=reduced is not None, cache_enabled=False)

    @cached_property
    def present(self) -> Tensor:
        """Whether each task has a target in the batch of any process, shape ``(K,)``, bool."""
        first = self.losses[0]
        found = torch.ones(len(self.tasks), dtype=first.dtype, device=first.device)
        for index, task in enumerate(self.tasks):
            found[index] *= task.has_targets(self.batch[1].get(task.name))
        average([found])
        return found > 0

    def loss_values(self) -> Tensor:
        """The losses without their graphs, shape ``(K,)``; means over the processes that train together."""
        values = torch.stack([loss.detach() for loss in self.losses])
        average([values])
        return values

    @property
    def learning_rate(self) -> float:
        """The optimizer's current step size."""
        return float(self.optimizer.param_groups[0]["lr"])

    def even_weights(self) -> Tensor:
        """A one a task, shape ``(K,)``, of the losses' type."""
        return torch.ones(len(self.losses), dtype=self.losses[0].dtype, device=self.losses[0].device)

    def add_penalty(self) -> None:
        """Add λ∂R/∂E to ``.grad`` of the shared parameters, where there is a penalty; heads never see it.

        For methods that cannot add the penalty to a sum of losses: it takes one walk through the encoder of its own.
        Called before the tasks' walks, it frees the regularizer's graph before their gradients are held in memory. The
        graph of ``representation`` stays.
        """
        if self.penalty is not None:
            (gradient,) = torch.autograd.grad(self.penalty, self.representation)
            shared = trainable(self.model.shared_parameters())
            self.representation.backward(gradient, inputs=shared, retain_graph=True)  # type: ignore[no-untyped-call]


def forward(
    model: MultiTaskModel,
    tasks: Sequence[Task],
    regularizer: nn.Module | None,
    batch: Batch,
    held_out: Batch | None,
    optimizer: Optimizer,
    scaler: torch.amp.GradScaler | None = None,
    loss_weights: Sequence[float] | None = None,
) -> Step:
    """The forward half of a training step: representation, predictions, losses and penalty of a batch.

    Constant ``loss_weights``, one a task, multiply the losses that the method balances.

    Called under ``torch.autocast`` it computes in that precision. Of a ``DistributedDataParallel`` the module is taken:
    it is the method that averages the gradients.
    """
    if isinstance(model, DistributedDataParallel):
        model = model.module
    inputs, targets = batch
    representation = model.encoder(inputs)
    predictions = model.predict(representation)
    losses = [task.loss(predictions[task.name], targets.get(task.name)) for task in tasks]
    if loss_weights is not None:
        losses = [weight * loss for weight, loss in zip(loss_weights, losses, strict=True)]
    return Step(
        model=model,
        tasks=tasks,
        batch=batch,
        representation=representation,
        predictions=predictions,
        losses=losses,
        penalty=None if regularizer is None else regularizer(representation, [targets.get(t.name) for t in tasks]),
        held_out=held_out,
        optimizer=optimizer,
        scaler=scaler,
    )


def trainable(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """The parameters that are not frozen."""
    return [parameter for parameter in parameters if parameter.requires_grad]
