"""Uncertainty weighting: each loss is divided by a learned variance."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from dgr.methods.shared.base import Step
from dgr.methods.shared.loss_weighting import LossWeighting
from dgr.methods.shared.options import number

LABEL = "UW"


class UncertaintyWeighting(LossWeighting):
    r"""Minimises :math:`\sum_k L_k / (2 e^{s_k}) + s_k / 2` over the model and the log-variances s.

    s is a parameter of the method, trained by the run's optimizer; the weights are :math:`1 / (2 e^{s_k})`.

    Kendall, Gal, Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics",
    CVPR 2018, arXiv 1705.07115.

    Difference to the original: as in usual implementations, classification losses get the factor 1/2 too, and s
    starts at −0.7, so that the first weights are about 1.

    Args:
        num_tasks: number K of tasks.
        initial_log_variance: first value of every s.

    Raises:
        DGRError: the first value is not a finite number.
    """

    def __init__(self, num_tasks: int, initial_log_variance: float = -0.7) -> None:
        super().__init__(num_tasks)
        start = number("uncertainty_weighting", "initial_log_variance", initial_log_variance)
        self.log_variances = nn.Parameter(torch.full((num_tasks,), start))

    @override
    def weigh(self, step: Step) -> Tensor:
        return torch.exp(-self.log_variances) / 2

    @override
    def cost_of_weights(self, step: Step) -> Tensor:
        # A task without a target has nothing to say of its variance.
        return (self.log_variances * step.present).sum() / 2
