"""Representations with targets, in coordinates in which neither the size nor the place of a representation counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

HeadLoss = Callable[[Tensor, Tensor], Tensor]
"""``loss(prediction, target) -> scalar``, a mean over samples."""


class Represented(NamedTuple):
    """Representations ``(samples, width)``, float32, and one target each."""

    representation: Tensor
    targets: Tensor

    def first(self, count: int) -> Represented:
        """The first samples."""
        return Represented(self.representation[:count], self.targets[:count])


def standardized(train: Represented, *others: Represented) -> list[Represented]:
    """All parts as ``(z − m) / s``, with the mean m of train and the root s of its mean squared deviation.

    m is a vector and s one number, so that the shape of the cloud of samples is kept: ``a·z + b`` for every number
    a > 0 and vector b comes out as z does. A representation that is a constant stays one.
    """
    mean = train.representation.mean(dim=0)
    sd = (train.representation - mean).square().mean().sqrt().item() or 1.0
    return [Represented((z - mean) / sd, targets) for z, targets in (train, *others)]


@torch.no_grad()
def losses(heads: Sequence[nn.Module], loss: HeadLoss, samples: Represented) -> Tensor:
    """The loss of each head."""
    return torch.stack([loss(head(samples.representation), samples.targets) for head in heads])


def mean_over_log(counts: Sequence[int], values: Sequence[float]) -> float:
    """Mean of a curve over the logarithm of its argument: area by the trapezoidal rule over the length of the axis.

    Args:
        counts: where the curve is known, ascending, at least two.
        values: the curve there.
    """
    at = torch.tensor(counts, dtype=torch.float64).log()
    return (torch.trapezoid(torch.tensor(values, dtype=torch.float64), at) / (at[-1] - at[0])).item()
