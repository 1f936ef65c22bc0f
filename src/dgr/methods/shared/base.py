"""What a multi-task method is: one call per step that turns task losses into gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dgr.core.task import Batch, Task
from dgr.models.model import MultiTaskModel


@dataclass
class Step:
    """Everything a method may look at in one training step.

    Attributes:
        model: the model being trained; all ``.grad`` fields are None or zero on entry.
        tasks: the tasks, in the order of ``losses``.
        batch: inputs ``(batch, …)`` and targets by task name.
        representation: z of the batch, with its graph back to the encoder.
        predictions: of each task by name, with graphs through ``representation``.
        losses: one scalar a task, with graphs through ``representation``.
        penalty: λR of a regularizer, or None; its backward reaches ``representation`` and nothing else.
        held_out: a second batch, given to methods whose ``needs_held_out`` is true.
        optimizer: what will take the step, for methods that look ahead.
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
) -> Step:
    """The forward half of a training step: representation, predictions, losses and penalty of a batch."""
    inputs, targets = batch
    representation = model.encoder(inputs)
    predictions = model.predict(representation)
    return Step(
        model=model,
        tasks=tasks,
        batch=batch,
        representation=representation,
        predictions=predictions,
        losses=[task.loss(predictions[task.name], targets[task.name]) for task in tasks],
        penalty=None if regularizer is None else regularizer(representation, [targets[task.name] for task in tasks]),
        held_out=held_out,
        optimizer=optimizer,
    )


class Method(nn.Module, ABC):
    """Turns task losses into gradients.

    Parameters registered on a method are trained by the run's optimizer, together with the model. All state, also
    that of a wrapped library object, is in ``state_dict()``, so that a resumed run continues exactly.

    Attributes:
        separate_encoders: whether each task has an encoder of its own.
        needs_held_out: whether each step must come with a second batch.
        needs_main_task: whether the option ``main_task`` must name the task that all others serve.

    Args:
        num_tasks: number K of tasks.
    """

    separate_encoders: ClassVar[bool] = False
    needs_held_out: ClassVar[bool] = False
    needs_main_task: ClassVar[bool] = False

    def __init__(self, num_tasks: int) -> None:
        super().__init__()
        self.num_tasks = num_tasks

    def begin(self, tasks: Sequence[Task], batches: Iterable[Batch]) -> None:
        """Called once before the first step of a fresh run, with the whole training split in batches.

        A resumed run does not call it again: what it finds belongs into ``state_dict()``.
        """

    @abstractmethod
    def backward(self, step: Step) -> Tensor:
        """Fill ``.grad`` of encoder, heads and the method's own parameters.

        The regularizer's gradient λ∂R/∂E is added to the encoder after any balancing; heads never see it.

        Returns:
            The task weights used in this step, shape ``(K,)``, detached.
        """

    def end_epoch(self) -> None:
        """Called after the last step of each epoch."""

    def details(self) -> dict[str, float]:
        """What the epoch's record says about the method beyond task weights, by ``quantity/task``; called before
        :meth:`end_epoch`, and of the steps since the last call of that.
        """
        return {}


def trainable(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """The parameters that are not frozen."""
    return [parameter for parameter in parameters if parameter.requires_grad]
