"""A task: what one head predicts, how wrong it is, and how that is reported.

Torch is imported where something is computed, since plans and estimates only ask what the tasks are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dgr.core.errors import DGRError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from torchmetrics import MetricCollection

TaskKind = Literal["classification", "regression", "segmentation", "depth", "disparity", "normals"]
Batch: TypeAlias = "tuple[Tensor, dict[str, Tensor]]"
"""Inputs, and targets by task name. A task that has no targets in a batch has None there, or is left out."""
Criterion: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"

VOID = -1
"""The class of what has no label."""
LARGEST = 3.4028234663852886e38
"""Of float32."""
PRIMARY: dict[TaskKind, str] = {
    "classification": "accuracy",
    "regression": "squared_error",
    "segmentation": "mean_iou",
    "depth": "absolute_error",
    "disparity": "absolute_error",
    "normals": "mean_angle",
}
CHANNELS: dict[TaskKind, int] = {"regression": 1, "depth": 1, "disparity": 1, "normals": 3}
RANGES: dict[TaskKind, tuple[float, float]] = {
    "regression": (-LARGEST, LARGEST),
    "depth": (0.0, LARGEST),
    "disparity": (0.0, LARGEST),
    "normals": (-1.001, 1.001),
}


@dataclass(frozen=True)
class Task:
    """One prediction task of a multi-task model.

    Args:
        name: unique name, the key of the task's head, targets and columns.
        kind: decides the loss and the metrics.
        classes: number of classes (classification, segmentation).
        partial: whether some samples have no target (classification: −1, regression: NaN). Loss and metrics are then
            those of the samples that have one, and a batch without any has loss 0.
    """

    name: str
    kind: TaskKind
    classes: int = 0
    partial: bool = False

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
        from dgr.core.losses import CRITERIA, PARTIAL

        return PARTIAL[self.kind] if self.partial and self.kind in PARTIAL else CRITERIA[self.kind]

    def loss(self, prediction: Tensor, target: Tensor | None) -> Tensor:
        """Mean loss over the batch: cross-entropy, squared error, or what :mod:`dgr.core.dense` says for the kind.

        Args:
            prediction: shape ``(batch, outputs)``, or ``(batch, outputs, height, width)`` of any size for dense tasks.
            target: class indices ``(batch,)``, or numbers ``(batch, 1)``; dense tasks as in :mod:`dgr.core.dense`; None
                where the batch has no targets of the task.

        Returns:
            A scalar; 0, with gradient 0, where there is no target.

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
        if target is None:
            return (prediction * 0).sum()
        if self.kind == "regression" and target.shape != prediction.shape:
            raise DGRError(
                f"Task '{self.name}' expects targets of shape {tuple(prediction.shape)}, but got "
                f"{tuple(target.shape)}; give a column of numbers."
            )
        return self.criterion(prediction, target)

    def metrics(self) -> MetricCollection:
        """Fresh streaming metrics (torchmetrics) over a whole split, by the names of :mod:`dgr.core.metrics`."""
        from dgr.core.metrics import metrics_of  # takes seconds, and most stages measure nothing

        return metrics_of(self.kind, self.classes, self.partial)

    def targets_in(self, target: Tensor) -> int | Tensor:
        """What the loss of a batch is a mean over: how many samples, or pixels of dense tasks, have a target.

        Returns:
            A number; a scalar on the target's device where it has to be counted there.
        """
        from dgr.core.dense import valid_distance, valid_normals

        if self.kind == "segmentation" or (self.partial and self.kind == "classification"):
            return (target != VOID).sum()
        if self.kind in ("depth", "disparity"):
            return valid_distance(target).sum()
        if self.kind == "normals":
            return valid_normals(target).sum()
        return (~target.isnan()).sum() if self.partial else len(target)

    def has_targets(self, target: Tensor | None) -> Tensor | bool:
        """Whether any sample, or pixel, of a batch has a target; a scalar on the target's device where it must look."""
        return False if target is None else self.targets_in(target) > 0

    def check_targets(self, targets: Tensor | NDArray[Any], split: str) -> None:
        """Refuse impossible targets of a whole split, of torch or of numpy.

        Labels lie in ``0 … classes-1``, for segmentation and partial tasks also −1 (none); distances are finite and
        not negative; numbers and normals are finite, numbers of partial tasks also NaN (none). Some sample has one.

        Raises:
            DGRError: with the task, the split and the offending range.
        """
        if self.partial and self.kind == "regression":
            targets = targets[targets == targets]  # NaN alone differs from itself
        low, high = (targets.min().item(), targets.max().item()) if len(targets) else (0.0, 0.0)
        void = VOID if self.kind == "segmentation" or self.partial else 0
        lowest, highest = RANGES.get(self.kind, (void, self.classes - 1))
        if not (lowest <= low and high <= highest):
            raise DGRError(
                f"Targets of task '{self.name}' in split '{split}' span {low:g}…{high:g}, but must lie in "
                f"{lowest:g}…{highest:g}; mend the data set or the task's number of classes."
            )
        none_at = {"classification": VOID, "segmentation": VOID, "regression": None}.get(self.kind, 0)
        if not len(targets) or low == high == none_at:
            raise DGRError(f"No sample of split '{split}' has a target of task '{self.name}'; give it some.")
