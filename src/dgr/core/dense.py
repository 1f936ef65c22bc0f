r"""Losses of dense prediction: one value a pixel, where pixels may be without a valid target.

Predictions ``(batch, outputs, h, w)`` of any size are brought to the target's size bilinearly. Targets:

- segmentation: class indices ``(batch, H, W)``, any integer type, −1 where void;
- depth (metres) and disparity: ``(batch, 1, H, W)``, 0 where invalid;
- normals: unit vectors ``(batch, 3, H, W)``, the zero vector where invalid.

A batch without any valid pixel has loss 0. Losses as in the authors' code: cross-entropy, and L1 over valid pixels.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from dgr.core.task import VOID


def to_size(prediction: Tensor, target: Tensor) -> Tensor:
    """The prediction at the target's height and width, by bilinear interpolation."""
    size = target.shape[-2:]
    if prediction.shape[-2:] == size:
        return prediction
    return functional.interpolate(prediction, size=size, mode="bilinear", align_corners=False)


def segmentation_loss(prediction: Tensor, target: Tensor) -> Tensor:
    r"""Cross-entropy :math:`-\frac{1}{|V|}\sum_{p\in V}\log\operatorname{softmax}(x_p)_{y_p}`, V what is not void."""
    # One row a pixel: the two-dimensional loss has no deterministic kernel on CUDA.
    logits = to_size(prediction, target).movedim(1, -1).flatten(0, -2)
    labels = target.flatten().long()
    total = functional.cross_entropy(logits, labels, ignore_index=VOID, reduction="sum")
    return total / (labels != VOID).sum().clamp(min=1)


def distance_loss(prediction: Tensor, target: Tensor) -> Tensor:
    r"""L1 :math:`\frac{1}{|V|}\sum_{p\in V}|x_p-y_p|` over pixels V with a target above 0."""
    valid = valid_distance(target)
    difference = (to_size(prediction, target) - target).abs() * valid
    return difference.sum() / valid.sum().clamp(min=1)


def normals_loss(prediction: Tensor, target: Tensor) -> Tensor:
    r"""L1 :math:`\frac{1}{3|V|}\sum_{p\in V}\lVert x_p/\lVert x_p\rVert-y_p\rVert_1` over pixels V with a target."""
    valid = valid_normals(target)
    difference = (unit(to_size(prediction, target)) - target).abs() * valid
    return difference.sum() / (target.shape[1] * valid.sum()).clamp(min=1)


def unit(vectors: Tensor) -> Tensor:
    """Vectors along dimension 1 brought to unit length; zero stays zero."""
    return functional.normalize(vectors, dim=1)


def valid_distance(target: Tensor) -> Tensor:
    """Where depth or disparity is known, ``(batch, 1, H, W)``."""
    return target > 0


def valid_normals(target: Tensor) -> Tensor:
    """Where a normal is known, ``(batch, 1, H, W)``."""
    return target.square().sum(dim=1, keepdim=True) > 0
