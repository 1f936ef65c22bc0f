"""Losses, metrics and representations of a whole split, many samples at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgr.core.task import Task
from dgr.datasets.prepared import Split
from dgr.models.model import MultiTaskModel

Scores = dict[str, dict[str, float]]
AT_ONCE = {"cpu": (2**9, 2**21), "cuda": (2**12, 2**23)}
"""By type of device: the most samples, and pixels of their images, that are evaluated at once. It bounds the memory.

A fixed number, so that a result does not depend on who else uses a GPU. On a GPU small batches leave it idle: there the
pixels need at most a few gigabytes, since in inference mode no activation is kept.
"""


@dataclass(frozen=True)
class Evaluation:
    """What a model does on a split.

    Attributes:
        scores: loss and metrics by task. The loss is the mean over all samples, or pixels, that have a target.
        mean_norm: mean of ‖z‖ over the samples.
        representation: z of all samples, shape ``(samples, width)``; None where z is a map and not a vector, since
            those of a dense data set take up to 175 gigabytes.
        answers: by task of classification, whether each sample's largest output is its class, shape ``(samples,)``.
    """

    scores: Scores
    mean_norm: float
    representation: Tensor | None
    answers: dict[str, Tensor]


def batch_size(device: torch.device, sides: Sequence[int]) -> int:
    """How many images of that height and width are evaluated at once on a device, by :data:`AT_ONCE`."""
    samples, pixels = AT_ONCE[device.type]
    return max(1, min(samples, pixels // math.prod(sides)))


@torch.inference_mode()
def represent(model: MultiTaskModel, inputs: Tensor) -> Tensor:
    """The representations z of inputs in evaluation mode, shape ``(samples, …)``."""
    model.eval()
    z: Tensor = model.encoder(inputs)
    return z


def evaluate(model: MultiTaskModel, tasks: Sequence[Task], split: Split) -> Evaluation:
    """Evaluate once over a split, in evaluation mode; what has no target of a task does not count for it.

    Nothing waits for a GPU before the end. Where its memory does not suffice, half as many samples go at once.
    """
    size = batch_size(split.device, split.images.shape[-2:])
    while True:
        try:
            return _evaluate(model, tasks, split, size)
        except torch.OutOfMemoryError:
            if size == 1:
                raise
        size //= 2


@torch.inference_mode()
def _evaluate(model: MultiTaskModel, tasks: Sequence[Task], split: Split, size: int) -> Evaluation:
    metrics = {task.name: task.metrics().to(split.device) for task in tasks}
    zero = torch.zeros((), dtype=torch.float64, device=split.device)
    totals, counts = dict.fromkeys(metrics, zero), dict.fromkeys(metrics, zero)
    norms, vectors = [], []
    answers: dict[str, list[Tensor]] = {task.name: [] for task in tasks if task.kind == "classification"}
    for inputs, targets in split.batches(size):
        z = represent(model, inputs)
        norms.append(z.flatten(1).norm(dim=1))
        if z.ndim == 2:
            vectors.append(z)
        for task in tasks:
            prediction, target = model.heads[task.name](z), targets[task.name]
            present = task.targets_in(target)
            totals[task.name] = totals[task.name] + task.loss(prediction, target).double() * present
            counts[task.name] = counts[task.name] + present
            metrics[task.name].update(prediction, target)
            if task.name in answers:
                answers[task.name].append(prediction.argmax(dim=1) == target)
    losses = torch.stack([totals[name] / counts[name] for name in metrics]).tolist()
    scores = {
        # Metrics are float32; more digits than that would be noise.
        name: {"loss": loss} | {metric: round(value.item(), 7) for metric, value in metrics[name].compute().items()}
        for name, loss in zip(metrics, losses, strict=True)
    }
    right = {name: torch.cat(parts) for name, parts in answers.items()}
    return Evaluation(scores, torch.cat(norms).mean().item(), torch.cat(vectors) if vectors else None, right)
