"""SLGrad: one weight a sample and task, by what a step on it would do for the main task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call
from typing_extensions import override

from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.methods import options
from dgr.methods.base import Method, Step
from dgr.methods.gradient_balancing import trainable

QUANTILES = {"median": 0.5, "quantile_90": 0.9, "maximum": 1.0}
"""Of the sample weights of an epoch, as multiples of the uniform weight."""
MAX_QUANTILE = 2**24
"""Weights that torch's quantiles can take at once."""


class SLGrad(Method):
    r"""Weights every sample of every task by how well its gradient agrees with that of the main task on held-out data.

    .. math::
        s_{t,i} = \langle \nabla_\theta \ell_t(x_i), g \rangle, \quad
        g = \nabla_\theta L_{main}^{heldout}(\theta'), \quad
        w_{t,i} = \frac{\max(0, s_{t,i})}{\sum_{u,j} \max(0, s_{u,j})},

    θ the shared parameters, θ' they and the heads after a look-ahead step with uniform weights :math:`1/(KN)`. The
    model is then trained on :math:`K \sum_{t,i} w_{t,i} \ell_t(x_i)`; with uniform weights that is the summed loss.
    Where no sample has a positive product, all weights are 0 and the step trains nothing; :meth:`details` counts it.

    Grégoire, Chaudhary, Verboven, arXiv 2306.04519; Applied Intelligence 54, 3482–3501 (2024).

    Differences to the released code: all products come from one backward pass through the backward pass of the summed
    loss, with respect to weights of its terms; there is neither a loop over samples nor a gradient a sample. A sample's
    loss is its part of the batch's mean, :math:`L_t = \frac1N \sum_i \ell_t(x_i)`. By default the look-ahead is undone
    before the update. The factor K matches the other methods' scale. The look-ahead is the optimizer's own step (SGD,
    Adam, …) and looks at the tasks only, not at a regularizer.

    Args:
        num_tasks: number K of tasks.
        main_task: name of the task that all others serve.
        keep_look_ahead: leave the look-ahead in place, as the released code does: two updates a batch.

    Raises:
        DGRError: no main task is named; at a step, it is no task of the model, or there is no held-out batch.
    """

    needs_held_out: ClassVar[bool] = True

    def __init__(self, num_tasks: int, main_task: str | None = None, keep_look_ahead: bool = False) -> None:
        super().__init__(num_tasks)
        self.main_task = options.main_task("slgrad", main_task)
        self.keep_look_ahead = keep_look_ahead
        self.sample_weights = torch.empty(num_tasks, 0)
        self._epoch: list[Tensor] = []
        self._names: list[str] = []

    @override
    def backward(self, step: Step) -> Tensor:
        shared = trainable(step.model.shared_parameters())
        penalty = None
        if step.penalty is not None:
            penalty = torch.autograd.grad(step.penalty, shared, retain_graph=True)
        moved = self._moved(step)
        traced = _trace(step, step.features, list(moved.values()))
        direction = self._direction(step, moved, traced)
        if self.keep_look_ahead:
            traced = _trace(step, step.model.encoder(step.batch[0]), list(moved.values()))
        self.sample_weights = sample_weights(traced.products(direction))
        self._epoch.append(self.sample_weights)
        self._names = [task.name for task in step.tasks]
        traced.backward(self.num_tasks * self.sample_weights)
        if penalty is not None:
            for parameter, part in zip(shared, penalty, strict=True):
                parameter.grad = part if parameter.grad is None else parameter.grad + part
        return self.num_tasks * self.sample_weights.sum(dim=1)

    @override
    def details(self) -> dict[str, float]:
        """Share of steps whose weights are all zero; by task, the share of zeros and quantiles (:data:`QUANTILES`)."""
        relative = torch.cat([weights * weights.numel() for weights in self._epoch], dim=1)
        empty = sum(not weights.any() for weights in self._epoch)
        found = {"steps_without_weights": empty / len(self._epoch)}
        for name, row in zip(self._names, relative, strict=True):
            found[f"zero_weights/{name}"] = (row == 0).double().mean().item()
            for quantile, level in QUANTILES.items():
                found[f"weight_{quantile}/{name}"] = torch.quantile(row[:MAX_QUANTILE], level).item()
        return found

    @override
    def end_epoch(self) -> None:
        self._epoch = []

    def _main(self, step: Step) -> Task:
        return step.tasks[options.main_index("slgrad", self.main_task, step.tasks)]

    def _moved(self, step: Step) -> dict[str, nn.Parameter]:
        """What looks ahead: the shared parameters first, then heads; what is undone, only where the main task looks."""
        heads = ("heads.",) if self.keep_look_ahead else (f"heads.{self._main(step).name}.",)
        named = [(name, p) for name, p in step.model.named_parameters() if p.requires_grad]
        return {name: p for prefixes in (("encoder.",), heads) for name, p in named if name.startswith(prefixes)}

    def _direction(self, step: Step, moved: Mapping[str, nn.Parameter], traced: _Traced) -> list[Tensor]:
        """The main task's gradient after the look-ahead, divided by its norm, on which the weights do not depend."""
        if step.held_out is None or not len(step.held_out[0]):
            raise DGRError("Method 'slgrad' needs a held-out batch that is not empty in every step.")
        ahead = _look_ahead(step, moved, traced.gradient, self.keep_look_ahead)
        shared = [value.requires_grad_() for name, value in ahead.items() if name.startswith("encoder.")]
        gradient = torch.autograd.grad(_held_out_loss(step, self._main(step), ahead), shared)
        if self.keep_look_ahead:
            with torch.no_grad():
                for name, parameter in moved.items():
                    parameter.copy_(ahead[name])
        largest = torch.stack([part.abs().max() for part in gradient]).max()
        scaled = [part / largest.clamp_min(torch.finfo(part.dtype).tiny) for part in gradient]
        norm = nn.utils.get_total_norm(scaled).clamp_min(torch.finfo(largest.dtype).tiny)
        return [part / norm for part in scaled]


@dataclass(frozen=True)
class _Traced:
    r"""A batch whose samples can be weighted after the fact.

    Attributes:
        predictions: of each task, with their graph.
        cotangents: of each task, the gradient of its loss with respect to its predictions. A loss is a mean over
            samples, so each sample's part of it reaches the model through the sample's own row.
        weights: ones, ``(tasks, samples)``.
        gradient: of the summed loss with respect to the parameters, the shared ones first, as a function of the
            weights of its terms.
    """

    predictions: Sequence[Tensor]
    cotangents: Sequence[Tensor]
    weights: Tensor
    gradient: Sequence[Tensor]

    def products(self, direction: Sequence[Tensor]) -> Tensor:
        """The inner product of each sample's gradient with a direction of the shared parameters, ``(tasks, samples)``.

        It is the derivative of the whole gradient's inner product with respect to the sample's weight.
        """
        total = torch.stack([(g * d).sum() for g, d in zip(self.gradient, direction, strict=False)]).sum()
        (products,) = torch.autograd.grad(total, self.weights, retain_graph=True, materialize_grads=True)
        return self.weights.shape[1] * products

    def backward(self, weights: Tensor) -> None:
        r"""Backward of :math:`\sum w_{t,i} \ell_t(x_i)`, where :math:`L_t = \frac1N \sum_i \ell_t(x_i)`."""
        factors = weights.shape[1] * weights
        torch.autograd.backward(list(self.predictions), _rows_scaled(self.cotangents, factors))


def _trace(step: Step, features: Tensor, parameters: Sequence[nn.Parameter]) -> _Traced:
    predictions = [step.model.heads[task.name](features) for task in step.tasks]
    leaves = [prediction.detach().requires_grad_() for prediction in predictions]
    losses = [task.loss(leaf, step.batch[1][task.name]) for task, leaf in zip(step.tasks, leaves, strict=True)]
    cotangents = torch.autograd.grad(torch.stack(losses).sum(), leaves)
    weights = torch.ones(len(losses), len(features), dtype=losses[0].dtype, device=features.device, requires_grad=True)
    rows = _rows_scaled(cotangents, weights)
    gradient = torch.autograd.grad(predictions, parameters, rows, create_graph=True, materialize_grads=True)
    return _Traced(predictions, cotangents, weights, gradient)


def _rows_scaled(tensors: Sequence[Tensor], factors: Tensor) -> list[Tensor]:
    return [tensor * own.view(-1, *[1] * (tensor.ndim - 1)) for tensor, own in zip(tensors, factors, strict=True)]


def sample_weights(products: Tensor) -> Tensor:
    """``max(0, s) / Σ max(0, s)``, and zeros where no product is positive; shape ``(tasks, samples)``."""
    positive = products.clamp_min(0)
    total = positive.sum()
    return torch.where(total > 0, positive / total, 0.0)


def _held_out_loss(step: Step, main: Task, parameters: Mapping[str, Tensor]) -> Tensor:
    assert step.held_out is not None
    inputs, targets = step.held_out
    head = step.model.heads[main.name]

    def of(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): p for name, p in parameters.items() if name.startswith(prefix)}

    z = functional_call(step.model.encoder, of("encoder.") | _buffers(step.model.encoder), (inputs,))
    prediction = functional_call(head, of(f"heads.{main.name}.") | _buffers(head), (z,))
    return main.loss(prediction, targets[main.name])


def _look_ahead(
    step: Step, named: Mapping[str, nn.Parameter], gradients: Sequence[Tensor], keep: bool
) -> dict[str, Tensor]:
    """Copies of parameters after the optimizer's step along gradients; its state moves only if kept."""
    copies = {parameter: parameter.detach().clone() for parameter in named.values()}
    for copy, gradient in zip(copies.values(), gradients, strict=True):
        copy.grad = gradient.detach()
    groups = [
        {**group, "params": [copies[p] for p in group["params"] if p in copies]}
        for group in step.optimizer.param_groups
    ]
    ahead = type(step.optimizer)([group for group in groups if group["params"]])  # type: ignore[call-arg]
    for parameter, copy in copies.items():
        ahead.state[copy] = _copied(step.optimizer.state[parameter]) if parameter in step.optimizer.state else {}
    ahead.step()
    if keep:
        step.optimizer.state.update({parameter: ahead.state[copy] for parameter, copy in copies.items()})
    return {name: copies[parameter] for name, parameter in named.items()}


def _copied(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.clone() if torch.is_tensor(value) else value for name, value in state.items()}


def _buffers(module: nn.Module) -> dict[str, Tensor]:
    """Copies, since BatchNorm in training mode would write to the model's."""
    return {name: buffer.clone() for name, buffer in module.named_buffers()}
