"""GradNorm: loss weights under which the tasks' gradients are as long as their progress asks for."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from dgr.methods.shared.base import Step
from dgr.methods.shared.gradient_balancing import weigh_heads
from dgr.methods.shared.gramian_weighting import GramianWeighting
from dgr.methods.shared.options import number
from dgr.methods.shared.weight_adam import WeightAdam

LABEL = "GradNorm"


class GradNorm(GramianWeighting):
    r"""Trains on :math:`\sum_k w_k L_k`; after each step, w takes an Adam step on

    .. math::
        \sum_k \big| G_k - \bar G\, r_k^\alpha \big|, \quad G_k = \|w_k \nabla_\theta L_k\|, \quad
        r_k = \frac{L_k / L_k^{(0)}}{\frac1K \sum_l L_l / L_l^{(0)}},

    with :math:`\bar G = \frac1K \sum_k G_k`, the target :math:`\bar G r_k^\alpha` held fixed, so that the slope in
    :math:`w_k` is :math:`\pm\|\nabla_\theta L_k\|`. Then w is scaled to sum to K. It starts at 1;
    :math:`L_k^{(0)}` is the loss of the first batch with a target of the task. Means go over the tasks that have a
    target in the batch; the others' weights stay but for Adam's momentum and the scaling.

    Chen, Badrinarayanan, Lee, Rabinovich, "GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep
    Multitask Networks", ICML 2018, arXiv 1711.02257.

    Differences to the original: θ are all shared parameters, where the paper takes the last shared layer to save time:
    an encoder need not have such a layer (it may end in an attention module a task), the other methods look at all
    shared parameters too, and their gradients are needed anyway. Weights that Adam would take below 0 stay just above.
    A ratio to a first loss of zero counts as 1. TorchJD 0.18 has no GradNorm; its Gramian gives all the norms. The
    default of the step size is ours.

    Args:
        num_tasks: number K of tasks.
        asymmetry: α at least 0; 0 makes all gradients equally long.
        weight_learning_rate: Adam's step size for the weights, greater than 0.

    Raises:
        DGRError: an option is out of its range.
    """

    first_losses: Tensor
    seen: Tensor

    def __init__(self, num_tasks: int, asymmetry: float = 1.5, weight_learning_rate: float = 0.025) -> None:
        super().__init__(num_tasks)
        self.asymmetry = number("gradnorm", "asymmetry", asymmetry, at_least=0)
        rate = number("gradnorm", "weight_learning_rate", weight_learning_rate, above=0)
        self.adam = WeightAdam(num_tasks, 1.0, rate)
        self.register_buffer("first_losses", torch.zeros(num_tasks))
        self.register_buffer("seen", torch.zeros(num_tasks, dtype=torch.bool))

    @override
    def weigh(self, step: Step, gramian: Tensor) -> Tensor:
        weights = self.adam.weights.clone()
        losses, present = step.loss_values(), step.present
        self.first_losses.copy_(torch.where(present & ~self.seen, losses, self.first_losses))
        self.seen |= present
        norms = gramian.diagonal().sqrt()
        lengths = weights * norms
        targets = lengths[present].mean() * self._relative_rates(losses.to(norms), present) ** self.asymmetry
        # The norm of a task without a target is 0, and so is its slope.
        self._update(torch.where(present, torch.sign(lengths - targets) * norms, 0.0))
        return weights

    def _relative_rates(self, losses: Tensor, present: Tensor) -> Tensor:
        rates = torch.where(self.first_losses != 0, losses / self.first_losses, 1.0)
        # Where all losses have reached zero, none is behind.
        return torch.where(rates.any(), rates / rates[present].mean(), 1.0)

    def _update(self, gradient: Tensor) -> None:
        self.adam.step(gradient)
        weights = self.adam.weights
        weights.clamp_(min=torch.finfo(weights.dtype).tiny)  # above 0, for their sum must not be 0
        weights.mul_(self.num_tasks / weights.sum())

    @override
    def fill(self, step: Step) -> Tensor:
        weights = super().fill(step)
        weigh_heads(step, weights)
        return weights
