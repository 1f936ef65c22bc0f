"""Losses, metrics and representations of a whole split, a few samples at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgr.core.task import Task
from dgr.datasets.prepared import Split
from dgr.models.model import MultiTaskModel

Scores = dict[str, dict[str, float]]
PIXELS = 2**21
"""Of the images that are evaluated at once: bounds the memory, whatever the image size."""


@dataclass(frozen=True)
class Evaluation:
    """What a model does on a split.

    Attributes:
        scores: loss and metrics by task.
        mean_norm: mean of ‖z‖ over the samples.
        representation: z of all samples, shape ``(samples, width)``; None where z is a map and not a vector, since
            those of a dense data set take up to 175 gigabytes.
    """

    scores: Scores
    mean_norm: float
    representation: Tensor | None


@torch.no_grad()
def represent(model: MultiTaskModel, inputs: Tensor) -> Tensor:
    """The representations z of inputs in evaluation mode, shape ``(samples, …)``."""
    model.eval()
    z: Tensor = model.encoder(inputs)
    return z


@torch.no_grad()
def evaluate(model: MultiTaskModel, tasks: Sequence[Task], split: Split) -> Evaluation:
    """Evaluate once over a split, in evaluation mode; samples without a target of a task do not count for it."""
    metrics = {task.name: task.metrics().to(split.device) for task in tasks}
    totals, counts = dict.fromkeys(metrics, 0.0), dict.fromkeys(metrics, 0)
    norms, vectors = [], []
    height, width = split.images.shape[-2:]
    for inputs, targets in split.batches(max(1, min(512, PIXELS // (height * width)))):
        z = represent(model, inputs)
        norms.append(z.flatten(1).norm(dim=1))
        if z.ndim == 2:
            vectors.append(z)
        for task in tasks:
            prediction, target = model.heads[task.name](z), targets[task.name]
            present = task.targets_in(target)
            totals[task.name] += task.loss(prediction, target).item() * present
            counts[task.name] += present
            metrics[task.name].update(prediction, target)
    scores = {
        # Metrics are float32; more digits than that would be noise.
        name: {"loss": total / counts[name]}
        | {metric: round(value.item(), 7) for metric, value in metrics[name].compute().items()}
        for name, total in totals.items()
    }
    return Evaluation(scores, torch.cat(norms).mean().item(), torch.cat(vectors) if vectors else None)
