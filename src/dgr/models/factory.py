"""From an architecture's configuration to a freshly initialised model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from dgr.config.architectures import Architecture
from dgr.core.task import Task
from dgr.models.model import MultiTaskModel
from dgr.models.shared.heads import SliceHead
from dgr.models.shared.wrappers import SeparateEncoders


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
