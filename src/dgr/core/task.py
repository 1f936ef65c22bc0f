"""A task: what one head predicts, how wrong it is, and how that is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn import functional

from dgr.core import dense
from dgr.core.errors import DGRError

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

TaskKind = Literal["classification", "regression", "segmentation", "depth", "disparity", "normals"]
Batch = tuple[Tensor, dict[str, Tensor]]
"""Inputs, and targets by task name."""
Criterion = Callable[[Tensor, Tensor], Tensor]

CRITERIA: dict[TaskKind, Criterion] = {
    "classification": functional.cross_entropy,
    "regression": functional.mse_loss,
    "segmentation": dense.segmentation_loss,
    "depth": dense.distance_loss,
    "disparity": dense.distance_loss,
    "normals": dense.normals_loss,
}
PRIMARY: dict[TaskKind, str] = {
    "classification": "accuracy",
    "regression": "squared_error",
    "segmentation": "mean_iou",
    "depth": "absolute_error",
    "disparity": "absolute_error",
    "normals": "mean_angle",
}
CHANNELS: dict[TaskKind, int] = {"regression": 1, "depth": 1, "disparity": 1, "normals": 3}


@dataclass(frozen=True)
class Task:
    """One prediction task of a multi-task model.

    Args:
        name: unique name, the key of the task's head, targets and columns.
        kind: decides the loss and the metrics.
        classes: number of classes (classification, segmentation).
    """

    name: str
    kind: TaskKind
    classes: int = 0

    @property
    def outputs(self) -> int:
        """Width of the head's prediction."""
        return CHANNELS.get(self.kind, self.classes)

    @property
    def primary_metric(self) -> str:
        """The single metric that enters Δm."""
        return PRIMARY[self.kind]

    @property
    def higher_is_better(self) -> bool:
        """Direction of the primary metric."""
        return self.kind in ("classification", "segmentation")

    @property
    def criterion(self) -> Criterion:
        """The loss without checks, a function of torch that :class:`dgr.DummyGradientNorm` can recognise."""
        return CRITERIA[self.kind]

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Mean loss over the batch: cross-entropy, squared error, or what :mod:`dgr.core.dense` says for the kind.

        Args:
            prediction: shape ``(batch, outputs)``, or ``(batch, outputs, height, width)`` of any size for dense tasks.
            target: class indices ``(batch,)``, or numbers ``(batch, 1)``; dense tasks as in :mod:`dgr.core.dense`.

        Returns:
            A scalar.

        Raises:
            DGRError: the head's width does not fit.
        """
        dimensions = 2 if self.kind in ("classification", "regression") else 4
        if prediction.ndim != dimensions or prediction.shape[1] != self.outputs:
            expected = ", ".join(["batch", str(self.outputs), "height", "width"][:dimensions])
            raise DGRError(
                f"Task '{self.name}' expects predictions of shape ({expected}), "
                f"but its head gave {tuple(prediction.shape)}; check the head's last layer."
            )
        if self.kind == "regression" and target.shape != prediction.shape:
            raise DGRError(
                f"Task '{self.name}' expects targets of shape {tuple(prediction.shape)}, but got "
                f"{tuple(target.shape)}; give a column of numbers."
            )
        return self.criterion(prediction, target)

    def metrics(self) -> MetricCollection:
        """Fresh streaming metrics (torchmetrics) over a whole split, by the names of :mod:`dgr.core.metrics`."""
        from dgr.core.metrics import metrics_of  # takes seconds, and most stages measure nothing

        return metrics_of(self.kind, self.classes)

    def check_targets(self, targets: Tensor, split: str) -> None:
        """Refuse impossible targets once, before training.

        Labels lie in ``0 … classes-1``, for segmentation also −1 (void); distances are finite and not negative;
        numbers and normals are finite.

        Raises:
            DGRError: with the task, the split and the offending range.
        """
        low, high = torch.min(targets).item(), torch.max(targets).item()
        lowest, highest = {
            "classification": (0.0, self.classes - 1),
            "segmentation": (dense.VOID, self.classes - 1),
            "normals": (-1.001, 1.001),
            "regression": (-torch.finfo(torch.float32).max, torch.finfo(torch.float32).max),
        }.get(self.kind, (0.0, torch.finfo(torch.float32).max))
        if not (lowest <= low and high <= highest):
            raise DGRError(
                f"Targets of task '{self.name}' in split '{split}' span {low:g}…{high:g}, but must lie in "
                f"{lowest:g}…{highest:g}; mend the data set or the task's number of classes."
            )
