"""Single-task learning: the reference of Δm."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from dgr.methods.shared.base import Step
from dgr.methods.shared.loss_weighting import LossWeighting

LABEL = "STL"


class SingleTask(LossWeighting):
    r"""Every task has an encoder of its own, so that :math:`\sum_k L_k` falls apart into K separate trainings.

    One run trains all of them side by side on the same batches.

    Args:
        num_tasks: number K of tasks.
    """

    separate_encoders: ClassVar[bool] = True

    @override
    def weigh(self, step: Step) -> Tensor:
        return step.even_weights()
