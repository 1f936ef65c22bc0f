"""The loss of each kind of task, and of those whose targets may be missing."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from dgr.core import dense
from dgr.core.task import VOID, Criterion, TaskKind


def present_cross_entropy(prediction: Tensor, target: Tensor) -> Tensor:
    r"""Cross-entropy :math:`-\frac{1}{|P|}\sum_{i\in P}\log\operatorname{softmax}(x_i)_{y_i}`, P the labelled samples.

    Args:
        prediction: shape ``(batch, classes)``.
        target: class indices ``(batch,)``, −1 where there is none.

    Returns:
        A scalar; 0, with gradient 0, where no sample has a label.
    """
    total = functional.cross_entropy(prediction, target, ignore_index=VOID, reduction="sum")
    return total / (target != VOID).sum().clamp(min=1)


def present_squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    r"""Squared error :math:`\frac{1}{|P|}\sum_{i\in P}(x_i-y_i)^2`, P the samples with a target.

    Args:
        prediction: shape ``(batch, 1)``.
        target: the same shape, NaN where there is none.

    Returns:
        A scalar; 0, with gradient 0, where no sample has a target.
    """
    present = ~target.isnan()
    difference = (prediction - target.nan_to_num()) * present
    return difference.square().sum() / present.sum().clamp(min=1)


CRITERIA: dict[TaskKind, Criterion] = {
    "classification": functional.cross_entropy,
    "regression": functional.mse_loss,
    "segmentation": dense.segmentation_loss,
    "depth": dense.distance_loss,
    "disparity": dense.distance_loss,
    "normals": dense.normals_loss,
}
PARTIAL: dict[TaskKind, Criterion] = {
    "classification": present_cross_entropy,
    "regression": present_squared_error,
}
"""Dense tasks leave out pixels without a target in any case."""
