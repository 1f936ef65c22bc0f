"""GradDrop: each coordinate keeps one sign, drawn at random."""

from __future__ import annotations

from torch import Tensor
from torchjd.aggregation import GradDrop as TorchJDGradDrop
from torchjd.linalg import Matrix
from typing_extensions import override

from dgr.methods.shared.gradient_balancing import GradientBalancing
from dgr.methods.shared.ranks import of_first

LABEL = "GradDrop"


class GradDrop(GradientBalancing):
    r"""Keeps in each coordinate the gradients of one sign and drops the others.

    .. math::
        P = \frac12 \Big(1 + \frac{\sum_k g_k}{\sum_k |g_k|}\Big), \quad U \sim \mathcal U(0,1), \quad
        g = \sum_k g_k \odot \big([P > U][g_k > 0] + [P < U][g_k < 0]\big)

    Chen et al., "Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout", NeurIPS 2020,
    arXiv 2010.06808.

    Difference to the original: applied to the encoder's parameters, as in the usual multi-task code, not to the
    representation. Scale: the sum, as there (their mean times K); TorchJD's result is that sum. U comes from torch's
    global generator of the device. The mask acts on coordinates, so the weights returned are ones.

    Args:
        num_tasks: number K of tasks.
    """

    def __init__(self, num_tasks: int) -> None:
        super().__init__(num_tasks, _SameDraw())


class _SameDraw(TorchJDGradDrop):
    """With one draw for all processes that train together."""

    @override
    def forward(self, matrix: Matrix, /) -> Tensor:
        return of_first(super().forward(matrix))
