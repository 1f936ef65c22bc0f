"""Equal weighting: the plain sum of losses."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from dgr.methods.shared.base import Step
from dgr.methods.shared.loss_weighting import LossWeighting

LABEL = "EW"


class EqualWeighting(LossWeighting):
    r"""Minimises :math:`\sum_k L_k`, the scale that every other method here is matched to.

    Args:
        num_tasks: number K of tasks.
    """

    @override
    def weigh(self, step: Step) -> Tensor:
        return step.even_weights()
