"""IMTL: the encoder's gradient has equal projections on all tasks, and losses are learned to equal scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchjd.aggregation import GramianWeightedAggregator, IMTLGWeighting
from typing_extensions import override

from dgr.methods.shared.base import Step
from dgr.methods.shared.gradient_balancing import GradientBalancing, ScaleFree

LABEL = "IMTL"


class IMTL(GradientBalancing):
    r"""The hybrid of the paper: IMTL-L for the losses, IMTL-G for the encoder.

    L: every loss becomes :math:`\tilde L_k = e^{s_k} L_k - s_k`. The scales s are parameters of the method; the run's
    optimizer trains them, and the heads, on :math:`\sum_k \tilde L_k`.

    G: the encoder gets :math:`g = \sum_k \alpha_k \tilde g_k`, :math:`\tilde g_k = \nabla \tilde L_k`, with
    :math:`\sum_k \alpha_k = 1` and :math:`g^\top \tilde g_k / \|\tilde g_k\|` equal for all k, that is
    :math:`\alpha = G^+ d / (1^\top G^+ d)`, :math:`G_{kl} = \tilde g_k^\top \tilde g_l`,
    :math:`d_k = \|\tilde g_k\|`.

    The direction of g does not depend on s; its length, s and the heads do.

    Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021.

    Difference to the original: the pseudo-inverse (TorchJD) instead of an inverse, which gives a task of zero
    gradient the weight 0 instead of NaN. Scale: α sums to 1, as in the paper and the usual code, not to K. α may be
    negative, and grows without bound when two gradients become opposite and equally long.

    Args:
        num_tasks: number K of tasks.

    Returned weights: :math:`\alpha_k e^{s_k}`, what the encoder's gradient holds of each raw loss.
    """

    def __init__(self, num_tasks: int) -> None:
        super().__init__(num_tasks, GramianWeightedAggregator(ScaleFree(IMTLGWeighting())))
        self.log_scales = nn.Parameter(torch.zeros(num_tasks))

    @override
    def scale(self, step: Step) -> list[Tensor]:
        present = step.present  # a task without a target has nothing to say of its scale
        scales = self.log_scales
        return [torch.exp(scales[k]) * loss - scales[k] * present[k] for k, loss in enumerate(step.losses)]

    @override
    def fill(self, step: Step) -> Tensor:
        return super().fill(step) * self.log_scales.detach().exp()
