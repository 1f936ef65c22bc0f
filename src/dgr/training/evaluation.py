"""Losses, metrics and representations of a whole split."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dgr.core.task import Task
from dgr.datasets.prepared import Split
from dgr.models.model import MultiTaskModel

Scores = dict[str, dict[str, float]]


@torch.no_grad()
def represent(model: MultiTaskModel, split: Split, batch_size: int = 512) -> Tensor:
    """The representations z of a split in evaluation mode, shape ``(samples, …)``."""
    model.eval()
    return torch.cat([model.encoder(inputs) for inputs in split.inputs(batch_size)])


@torch.no_grad()
def evaluate(
    model: MultiTaskModel, tasks: Sequence[Task], features: Tensor, targets: dict[str, Tensor], batch_size: int = 512
) -> Scores:
    """Mean loss and metrics of each task, from representations.

    Args:
        model: its heads are used, in evaluation mode.
        tasks: the tasks.
        features: representations, shape ``(samples, …)``.
        targets: targets by task name, shape ``(samples,)`` each.
        batch_size: samples at a time.
    """
    model.eval()
    scores: Scores = {}
    for task in tasks:
        metrics = task.metrics().to(features.device)
        total = 0.0
        for z, target in zip(
            torch.split(features, batch_size), torch.split(targets[task.name], batch_size), strict=True
        ):
            prediction = model.heads[task.name](z)
            total += task.loss(prediction, target).item() * len(z)
            metrics.update(prediction, target)
        # Metrics are float32; more digits than that would be noise.
        values = {name: round(value.item(), 7) for name, value in metrics.compute().items()}
        scores[task.name] = {"loss": total / len(features), **values}
    return scores
