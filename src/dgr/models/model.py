"""The multi-task model: one shared encoder, one head a task; and a fresh one from an architecture's configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dgr.core.task import Task
from dgr.models.shared.heads import SliceHead
from dgr.models.shared.wrappers import SeparateEncoders

if TYPE_CHECKING:
    from dgr.config.architectures import Architecture  # which a model of one's own needs no settings for


class MultiTaskModel(nn.Module):
    """``z = encoder(x)``, ``prediction_k = heads[k](z)``.

    Shared parameters (the encoder's) and head parameters are disjoint and together complete.

    Args:
        encoder: maps inputs to the shared representation z, shape ``(batch, width, …)``.
        heads: one module a task, by task name, in the order of the tasks.
    """

    def __init__(self, encoder: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict(heads)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Predictions by task name."""
        return self.predict(self.encoder(inputs))

    def predict(self, representation: Tensor) -> dict[str, Tensor]:
        """Predictions by task name from a representation."""
        return {name: head(representation) for name, head in self.heads.items()}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Parameters that every task's gradient reaches."""
        return list(self.encoder.parameters())

    def head_parameters(self, task: str) -> list[nn.Parameter]:
        """Parameters of one task's head."""
        return list(self.heads[task].parameters())


def build_model(
    config: Architecture, tasks: Sequence[Task], image_shape: Sequence[int], separate: bool, seed: int
) -> MultiTaskModel:
    """A freshly initialised model.

    Args:
        config: the architecture.
        tasks: one head is made for each.
        image_shape: ``(channels, height, width)``.
        separate: one encoder a task (single-task learning) instead of a shared one. Each starts as the shared one does.
        seed: seed of the initialisation; the caller's random state is left alone.
    """

    def encoder(served: int) -> nn.Module:
        torch.manual_seed(seed)
        return config.encoder(served, image_shape)

    with torch.random.fork_rng(devices=[]):
        shared = SeparateEncoders([encoder(1) for _ in tasks]) if separate else encoder(len(tasks))
        width = config.head_width
        heads: dict[str, nn.Module] = {}
        for index, task in enumerate(tasks):
            head = config.head(task.outputs)
            parted = separate or config.has_parts
            heads[task.name] = SliceHead(head, index * width, (index + 1) * width) if parted else head
    return MultiTaskModel(shared, heads)
