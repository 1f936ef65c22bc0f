"""OL-AUX: auxiliary weights that rise while a task's gradient agrees with the main task's."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from dgr.methods.shared import options
from dgr.methods.shared.base import Step
from dgr.methods.shared.gradient_balancing import weigh_heads
from dgr.methods.shared.gramian_weighting import GramianWeighting

LABEL = "OL-AUX"
LARGEST_WEIGHT = 1e6


class OLAux(GramianWeighting):
    r"""Trains on :math:`L_{main} + \sum_{k \ne main} w_k L_k` and moves each w every N steps,

    .. math::
        w_k \leftarrow w_k + \beta \sum_{j=1}^{N} \langle \nabla_\theta L_{main}^{(j)}, \nabla_\theta L_k^{(j)} \rangle,

    θ the shared parameters and j the last N steps, which were taken with the old w.

    Lin, Baweja, Kantor, Held, "Adaptive Auxiliary Task Weighting for Reinforcement Learning", NeurIPS 2019.

    Differences to the original: it is used here for supervised tasks. Weights are kept between 0 and 1e6, which is our
    addition: below 0 a loss would be raised, and with the upper bound losses of any size leave the weights finite.
    β multiplies the raw inner product and so depends on the scale of the losses; no value for it is taken over from the
    paper. The default moves a weight by 0.01 an update where each of the N products is 1/N.

    Args:
        num_tasks: number K of tasks.
        main_task: name of the task that all others serve; its weight is 1.
        horizon: N, steps between two updates of the weights.
        weight_learning_rate: β > 0.
        initial_weight: first value of every auxiliary weight, at least 0.

    Raises:
        DGRError: no main task is named, or an option is out of its range; at a step, the main task is no task of the
            model.
    """

    needs_main_task: ClassVar[bool] = True

    auxiliary_weights: Tensor
    products: Tensor
    steps: Tensor

    def __init__(
        self,
        num_tasks: int,
        main_task: str | None = None,
        horizon: int = 5,
        weight_learning_rate: float = 0.01,
        initial_weight: float = 1.0,
    ) -> None:
        super().__init__(num_tasks)
        self.main_task = options.main_task("ol_aux", main_task)
        self.horizon = options.positive_integer("ol_aux", "horizon", horizon)
        self.weight_learning_rate = options.number("ol_aux", "weight_learning_rate", weight_learning_rate, above=0)
        start = options.number("ol_aux", "initial_weight", initial_weight, at_least=0)
        self.register_buffer("auxiliary_weights", torch.full((num_tasks,), start))
        self.register_buffer("products", torch.zeros(num_tasks))
        self.register_buffer("steps", torch.tensor(0))

    @override
    def weigh(self, step: Step, gramian: Tensor) -> Tensor:
        main = options.main_index("ol_aux", self.main_task, step.tasks)
        weights = self.auxiliary_weights.clone()
        weights[main] = 1.0
        self.products += gramian[main]
        self.steps += 1
        if self.steps == self.horizon:
            self.auxiliary_weights += self.weight_learning_rate * self.products
            self.auxiliary_weights.clamp_(min=0, max=LARGEST_WEIGHT)
            self.products.zero_()
            self.steps.zero_()
        return weights

    @override
    def fill(self, step: Step) -> Tensor:
        weights = super().fill(step)
        weigh_heads(step, weights)
        return weights
