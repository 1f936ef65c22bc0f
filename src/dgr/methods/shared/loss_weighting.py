"""Methods that need one weight a task: the weighted sum of losses is walked back once."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from dgr.methods.shared.base import Method, Step


class LossWeighting(Method):
    r"""Minimises :math:`\sum_k w_k L_k + c + \lambda R` in a single backward pass.

    The regularizer joins the sum, so its gradient rides back through the encoder with the tasks' and costs no pass
    of its own; it has no path to the heads.
    """

    takes_scaler: ClassVar[bool] = True

    @abstractmethod
    def weigh(self, step: Step) -> Tensor:
        """Task weights w of this step, shape ``(K,)``; they carry a graph where they are learned."""

    def cost_of_weights(self, step: Step) -> Tensor | float:
        """The term c that keeps learned weights from collapsing; 0 for weights that are not learned."""
        return 0.0

    @override
    def fill(self, step: Step) -> Tensor:
        weights = self.weigh(step)
        total = (weights * torch.stack(list(step.losses))).sum() + self.cost_of_weights(step)
        if step.penalty is not None:
            total = total + step.penalty
        if step.scaler is not None:
            total = step.scaler.scale(total)
        total.backward()  # type: ignore[no-untyped-call]
        return weights.detach()
