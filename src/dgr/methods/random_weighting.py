"""Random loss weighting: weights drawn anew in each step, the baseline that every learned weighting has to beat."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from dgr.methods.shared.base import Step
from dgr.methods.shared.loss_weighting import LossWeighting
from dgr.methods.shared.ranks import of_first

LABEL = "RLW"


class RandomWeighting(LossWeighting):
    r"""Weights :math:`w = K\,\mathrm{softmax}(\xi)`, :math:`\xi \sim \mathcal N(0, 1)^K` anew in each step.

    Lin, Ye, Zhang, Tsang, "Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning",
    TMLR 2022, arXiv 2111.10603.

    Difference to the original: the factor K, which brings the weights to the scale of the summed loss. Draws come from
    torch's global CPU generator, so that a seed means the same weights on every device. TorchJD's ``Random`` scalarizer
    draws the same way, but sums to 1 and does not return the weights, so the one line is here.

    Args:
        num_tasks: number K of tasks.
    """

    @override
    def weigh(self, step: Step) -> Tensor:
        drawn = torch.randn(self.num_tasks, dtype=step.losses[0].dtype)
        return of_first((self.num_tasks * torch.softmax(drawn, dim=0)).to(step.losses[0].device))
