"""Streaming metrics of each kind of task, over a whole split and not as a mean over batches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from dgr.core import dense
from dgr.core.task import VOID
from dgr.core.torchvision_import import ensure_importable

ensure_importable()  # torchmetrics looks for it

from torchmetrics import MeanSquaredError, Metric, MetricCollection  # noqa: E402
from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix  # noqa: E402

ANGLES = (11.25, 22.5, 30.0)
"""Degrees within which the share of normals is reported, as usual in the field."""


def metrics_of(kind: str, classes: int, partial: bool = False) -> MetricCollection:
    """Fresh metrics of a kind of task.

    - classification: ``accuracy``, the share of correct labels;
    - regression: ``squared_error``, its mean;
    - segmentation: ``mean_iou``, ``pixel_accuracy``, see :class:`Segmentation`;
    - depth, disparity: ``absolute_error``, ``relative_error``, see :class:`Distance`;
    - normals: ``mean_angle``, ``median_angle``, ``within_11.25``, ``within_22.5``, ``within_30``, see :class:`Angles`.

    Args:
        kind: the task's kind.
        classes: number of classes where it has any.
        partial: whether samples may lack their label (−1) or number (NaN); these are left out.
    """
    if kind == "classification":
        ignored = VOID if partial else None
        # Targets are checked when a data set is read; torchmetrics' own checks wait for a GPU in every batch.
        accuracy = MulticlassAccuracy(classes, average="micro", ignore_index=ignored, validate_args=False)
        return MetricCollection({"accuracy": accuracy})
    if kind == "regression":
        return MetricCollection({"squared_error": PresentSquaredError() if partial else MeanSquaredError()})
    if kind == "segmentation":
        return MetricCollection(Segmentation(classes))
    return MetricCollection(Angles() if kind == "normals" else Distance())


def _counted(values: Tensor, known: Tensor, bins: int) -> Tensor:
    """How often each of 0 … bins−1 occurs among the known values, the same on every device and without waiting for it.

    A mask would have to be counted first, which waits; instead, what is not known falls into a bin of its own.
    """
    places = values.masked_fill(~known, bins).flatten()
    return places.new_zeros(bins + 1).index_add_(0, places, torch.ones_like(places))[:bins]


class PresentSquaredError(MeanSquaredError):
    """Mean squared error over the samples whose target is not NaN."""

    @override
    def update(self, prediction: Tensor, target: Tensor) -> None:
        missing = target.isnan()
        super().update(prediction.masked_fill(missing, 0), target.masked_fill(missing, 0))
        self.total = self.total - missing.sum()


class Segmentation(MulticlassConfusionMatrix):
    """From one confusion matrix over all pixels that are not void.

    ``mean_iou``: mean over the classes that occur, in targets or predictions, of intersection over union.
    ``pixel_accuracy``: share of correct pixels.

    Args:
        classes: number of classes.
    """

    def __init__(self, classes: int) -> None:
        super().__init__(classes, ignore_index=VOID)

    @override
    def update(self, prediction: Tensor, target: Tensor) -> None:
        guesses, labels = dense.to_size(prediction, target).argmax(dim=1), target.long()
        # Deterministic counting as torchmetrics does it builds a table of pixels by pairs of classes: gigabytes.
        counts = _counted(labels * len(self.confmat) + guesses, labels != VOID, self.confmat.numel())
        self.confmat += counts.view_as(self.confmat)

    @override
    def compute(self) -> dict[str, Tensor]:  # type: ignore[override]
        matrix = self.confmat.double()
        correct = matrix.diagonal()
        union = matrix.sum(dim=0) + matrix.sum(dim=1) - correct
        occurs = union > 0
        return {
            "mean_iou": (correct[occurs] / union[occurs]).mean(),
            "pixel_accuracy": correct.sum() / matrix.sum(),
        }


class Distance(Metric):
    """Depth or disparity over all pixels with a target above 0.

    ``absolute_error``: mean of ``|x − y|``, in the target's unit. ``relative_error``: mean of ``|x − y| / y``.
    """

    full_state_update = False
    absolute: Tensor
    relative: Tensor
    pixels: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("absolute", "relative", "pixels"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    @override
    def update(self, prediction: Tensor, target: Tensor) -> None:
        valid = dense.valid_distance(target)
        true = target.double().masked_fill(~valid, 1)
        error = (dense.to_size(prediction, target).double() - true).abs().masked_fill(~valid, 0)
        self.absolute += error.sum()
        self.relative += (error / true).sum()
        self.pixels += valid.sum()

    @override
    def compute(self) -> dict[str, Tensor]:
        return {"absolute_error": self.absolute / self.pixels, "relative_error": self.relative / self.pixels}


class Angles(Metric):
    """The angle between predicted and true normals over all pixels with a target, in degrees.

    ``mean_angle``; ``median_angle``, from a histogram with bins of 0.01 degrees, so that no angle has to be kept;
    ``within_A``: share of pixels below A degrees. A prediction that is not a number makes the mean none either, and
    counts as 180 degrees otherwise.
    """

    full_state_update = False
    bins_a_degree = 100
    total: Tensor
    counts: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("counts", torch.zeros(180 * self.bins_a_degree + 1, dtype=torch.long), dist_reduce_fx="sum")

    @override
    def update(self, prediction: Tensor, target: Tensor) -> None:
        valid = dense.valid_normals(target)[:, 0]
        unit = dense.unit(dense.to_size(prediction, target))
        cosine = (unit * target).sum(dim=1).double().clamp(-1, 1)
        angles = cosine.arccos().rad2deg().masked_fill(~valid, 0)
        self.total += angles.sum()
        bins = (angles.nan_to_num(nan=180.0) * self.bins_a_degree).long()
        self.counts += _counted(bins, valid, len(self.counts))

    @override
    def compute(self) -> dict[str, Tensor]:
        pixels = self.counts.sum()
        cumulative = self.counts.cumsum(0)
        middle = (2 * cumulative >= pixels).int().argmax()
        values: dict[str, Any] = {
            "mean_angle": self.total / pixels,
            "median_angle": (middle + 0.5) / self.bins_a_degree + 0 * self.total,  # NaN where an angle was
        }
        for angle in ANGLES:
            values[f"within_{angle:g}"] = cumulative[round(angle * self.bins_a_degree) - 1] / pixels
        return values
