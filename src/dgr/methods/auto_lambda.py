"""Auto-Lambda: task weights that lower the loss on other data after a look-ahead step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.func import functional_call
from typing_extensions import override

from dgr.core.errors import DGRError
from dgr.methods.shared.base import Step
from dgr.methods.shared.look_ahead import buffer_copies
from dgr.methods.shared.loss_weighting import LossWeighting
from dgr.methods.shared.options import number
from dgr.methods.shared.ranks import average
from dgr.methods.shared.weight_adam import WeightAdam

LABEL = "Auto-λ"


class AutoLambda(LossWeighting):
    r"""Learns the weights w by gradient descent through one virtual SGD step of the model.

    .. math::
        \theta' = \theta - \eta \nabla \sum_k w_k L_k^{train}(\theta), \quad
        v = \nabla_{\theta'} \sum_k L_k^{heldout}(\theta'), \quad
        \frac{\partial}{\partial w_k} = -\eta \langle \nabla L_k^{train}(\theta), v \rangle,

    followed by one Adam step on w, clamped at 0. The model is then trained on :math:`\sum_k w_k L_k` with the new w.
    All tasks are primary. η is the optimizer's current step size.

    Liu, James, Davison, Johns, "Auto-Lambda: Disentangling Dynamic Task Relationships", TMLR 2022, arXiv 2202.03091.

    Differences to the released code: the inner products are exact instead of a central finite difference in θ, from
    one backward pass a task through the graph of the training batch that is there already; their weighted sum is the
    virtual step's gradient too. No ε, no round-off left in the weights, and the same dropout mask. The virtual step is
    the paper's plain SGD, without the optimizer's momentum and weight decay, and looks at the tasks only, not at a
    regularizer. The clamp is added. Model weights, their ``.grad`` and BatchNorm statistics are never touched.

    Args:
        num_tasks: number K of tasks.
        initial_weight: first value of every weight, at least 0.
        weight_learning_rate: Adam's step size for the weights, greater than 0.

    Raises:
        DGRError: an option is out of its range; at a step, that it has no held-out batch.
    """

    needs_held_out: ClassVar[bool] = True
    takes_scaler: ClassVar[bool] = False

    def __init__(self, num_tasks: int, initial_weight: float = 0.1, weight_learning_rate: float = 1e-4) -> None:
        super().__init__(num_tasks)
        start = number("auto_lambda", "initial_weight", initial_weight, at_least=0)
        rate = number("auto_lambda", "weight_learning_rate", weight_learning_rate, above=0)
        self.adam = WeightAdam(num_tasks, start, rate)

    @override
    def weigh(self, step: Step) -> Tensor:
        self.adam.step(self._weight_gradient(step))
        return self.adam.weights.clamp_(min=0).clone()

    def _weight_gradient(self, step: Step) -> Tensor:
        parameters = {name: p for name, p in step.model.named_parameters() if p.requires_grad}
        of_tasks = [
            torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, materialize_grads=True)
            for loss in step.losses
        ]
        average([gradient for gradients in of_tasks for gradient in gradients])
        looked_ahead = {
            name: (p.detach() - step.learning_rate * _weighted(self.adam.weights, gradients)).requires_grad_()
            for (name, p), *gradients in zip(parameters.items(), *of_tasks, strict=True)
        }
        direction = self._held_out_gradient(step, looked_ahead)
        average(direction)
        flat = _joined(direction)
        return -step.learning_rate * torch.stack([_joined(gradients) @ flat for gradients in of_tasks])

    @staticmethod
    def _held_out_gradient(step: Step, looked_ahead: dict[str, Tensor]) -> Sequence[Tensor]:
        if step.held_out is None:
            raise DGRError("Method 'auto_lambda' needs a held-out batch in every step; pass Step(held_out=...).")
        inputs, targets = step.held_out
        with step.autocast():
            predictions = functional_call(step.model, {**looked_ahead, **buffer_copies(step.model)}, (inputs,))
            losses = [task.loss(predictions[task.name], targets.get(task.name)) for task in step.tasks]
        loss = torch.stack(losses).sum()
        return torch.autograd.grad(loss, list(looked_ahead.values()), materialize_grads=True)


def _weighted(weights: Tensor, gradients: Sequence[Tensor]) -> Tensor:
    """``Σ_k w_k g_k``."""
    weighted: Tensor = torch.tensordot(weights.to(gradients[0].dtype), torch.stack(list(gradients)), dims=1)
    return weighted


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    """One vector of all, whatever their memory layouts."""
    return torch.cat([tensor.flatten() for tensor in tensors])
