"""Dynamic weight average: more weight for the losses that fall slowly."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from dgr.methods.shared.base import Step
from dgr.methods.shared.loss_weighting import LossWeighting
from dgr.methods.shared.options import number

LABEL = "DWA"


class DWA(LossWeighting):
    r"""Weights :math:`w_k = K\,\mathrm{softmax}_k(r_k / T)` with :math:`r_k = \bar L_k(t-1) / \bar L_k(t-2)`.

    :math:`\bar L_k(t)` is the mean training loss over the batches of epoch t that have a target of the task. The first
    two epochs use equal weights.

    Liu, Johns, Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019, arXiv 1803.10704.

    Difference to the original: none. TorchJD's scalarizer of the same name keeps its history outside
    ``state_dict()`` and does not return weights, so the four lines are here. A ratio to a loss of zero counts as 1.

    Args:
        num_tasks: number K of tasks.
        temperature: T > 0; a larger T makes the weights more even.

    Raises:
        DGRError: the temperature is not a positive number.
    """

    older: Tensor
    newer: Tensor
    loss_sum: Tensor
    batches: Tensor

    def __init__(self, num_tasks: int, temperature: float = 2.0) -> None:
        super().__init__(num_tasks)
        self.temperature = number("dwa", "temperature", temperature, above=0)
        for name in ("older", "newer", "loss_sum"):
            self.register_buffer(name, torch.zeros(num_tasks))
        self.register_buffer("batches", torch.zeros(num_tasks, dtype=torch.long))

    @override
    def weigh(self, step: Step) -> Tensor:
        losses = step.loss_values()
        self.loss_sum += losses  # 0 where a task has no target
        self.batches += step.present
        # An empty history is zero, which makes all rates 1 and the weights equal.
        rates = torch.where(self.older != 0, self.newer / self.older, 1.0)
        rates = rates.clamp(max=torch.finfo(rates.dtype).max)
        return (self.num_tasks * torch.softmax(rates / self.temperature, dim=0)).to(losses.dtype)

    @override
    def end_epoch(self) -> None:
        seen = self.batches > 0
        self.older.copy_(torch.where(seen, self.newer, self.older))
        self.newer.copy_(torch.where(seen, self.loss_sum / self.batches.clamp(min=1), self.newer))
        self.loss_sum.zero_()
        self.batches.zero_()
