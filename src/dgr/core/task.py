"""A task: what one head predicts, how wrong it is, and how that is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy

from dgr.core.errors import DGRError

TaskKind = Literal["classification"]


@dataclass(frozen=True)
class Task:
    """One prediction task of a multi-task model.

    Args:
        name: unique name, the key of the task's head, targets and columns.
        kind: decides the loss and the metrics.
        classes: number of classes (classification).
    """

    name: str
    kind: TaskKind
    classes: int

    @property
    def outputs(self) -> int:
        """Width of the head's prediction."""
        return self.classes

    @property
    def primary_metric(self) -> str:
        """The single metric that enters Δm."""
        return "accuracy"

    @property
    def higher_is_better(self) -> bool:
        """Direction of the primary metric."""
        return True

    @property
    def criterion(self) -> Callable[[Tensor, Tensor], Tensor]:
        """The loss without checks, a function of torch that :class:`dgr.DummyGradientNorm` can recognise."""
        return functional.cross_entropy

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy over the batch.

        Args:
            prediction: logits, shape ``(batch, classes)``.
            target: class indices, shape ``(batch,)``.

        Returns:
            A scalar.

        Raises:
            DGRError: the head's width or the batch sizes do not fit.
        """
        if prediction.ndim != 2 or prediction.shape[1] != self.classes:
            raise DGRError(
                f"Task '{self.name}' expects predictions of shape (batch, {self.classes}), "
                f"but its head gave {tuple(prediction.shape)}; check the head's last layer."
            )
        return self.criterion(prediction, target)

    def metrics(self) -> MetricCollection:
        """Fresh streaming metrics (torchmetrics) over a whole split; accuracy is the share of correct labels."""
        return MetricCollection({"accuracy": MulticlassAccuracy(self.classes, average="micro")})

    def check_targets(self, targets: Tensor, split: str) -> None:
        """Refuse labels outside ``0 … classes-1`` once, before training.

        Raises:
            DGRError: with the task, the split and the offending range.
        """
        low, high = int(torch.min(targets)), int(torch.max(targets))
        if low < 0 or high >= self.classes:
            raise DGRError(
                f"Labels of task '{self.name}' in split '{split}' span {low}…{high}, but must lie in "
                f"0…{self.classes - 1}; mend the data set or the task's number of classes."
            )
