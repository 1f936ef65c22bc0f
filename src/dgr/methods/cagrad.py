"""CAGrad: the worst-off task's best improvement near the average gradient."""

from __future__ import annotations

from typing import cast

import clarabel  # noqa: F401 (CAGradWeighting solves with both, and would miss them later)
import cvxpy  # noqa: F401
import torch
from torch import Tensor
from torchjd.aggregation import CAGradWeighting, GramianWeightedAggregator
from torchjd.linalg import PSDMatrix
from typing_extensions import override

from dgr.methods.shared.gradient_balancing import GradientBalancing, ScaleFree
from dgr.methods.shared.options import number

LABEL = "CAGrad"


class CAGrad(GradientBalancing):
    r"""The direction d that maximises :math:`\min_k g_k^\top d` under :math:`\|d - g_0\| \le c \|g_0\|`.

    With :math:`g_0 = \frac1K \sum_k g_k`, :math:`g_w = \sum_k w_k g_k` and w on the simplex,

    .. math::
        w = \arg\min_w\, g_w^\top g_0 + c \|g_0\| \|g_w\|, \qquad
        g = \frac{K}{1 + c^2} \Big(g_0 + \frac{c \|g_0\|}{\|g_w\|} g_w\Big).

    Liu et al., "Conflict-Averse Gradient Descent for Multi-task Learning", NeurIPS 2021, arXiv 2110.14048.

    Differences to the original: solved by Clarabel on the K×K Gramian, not by SLSQP. The factor K/(1+c²) is that of the
    released multi-task code (its ``rescale=1`` and K for the summed loss); TorchJD leaves it out. Where
    :math:`\|g_w\|` is below 1e-4 of the Jacobian's norm, :math:`g_w` has no direction and is left out.

    Args:
        num_tasks: number K of tasks.
        c: radius of the ball around the average gradient, at least 0; 0 is equal weighting.

    Raises:
        DGRError: c is out of range.
    """

    def __init__(self, num_tasks: int, c: float = 0.4) -> None:
        c = number("cagrad", "c", c, at_least=0)
        weighting = ScaleFree(_NeverStopping(c), num_tasks / (1 + c**2))
        super().__init__(num_tasks, GramianWeightedAggregator(weighting))


class _NeverStopping(CAGradWeighting):
    """TorchJD's weights, with the average gradient where those are zero.

    TorchJD stops where no direction improves all tasks, so one finished task would freeze the encoder. The released
    code goes on along the average, as it must to end at the minimum of the average loss (the paper's result for c < 1).
    A task of zero gradient, such as one without a target in the batch, takes no part, and the others are balanced.
    """

    @override
    def forward(self, gramian: PSDMatrix, /) -> Tensor:
        moving = gramian.diagonal() > 0
        if not moving.any():
            return torch.ones_like(gramian[0]) / len(gramian)
        own = super().forward(cast(PSDMatrix, gramian[moving][:, moving]))
        weights = torch.zeros_like(gramian[0])
        weights[moving] = torch.where(own.any(), own, 1 / len(own)) * (len(own) / len(gramian))
        return weights
