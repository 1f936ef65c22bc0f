"""SLGrad: one weight a sample and task, by what a step on it would do for the main task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call
from typing_extensions import override

from dgr.core.errors import DGRError
from dgr.core.task import Task
from dgr.methods.shared import options
from dgr.methods.shared.base import Method, Step, shared_of
from dgr.methods.shared.look_ahead import after_step, buffer_copies
from dgr.methods.shared.sample_gradients import TracedBatch, sample_weights, trace

LABEL = "SLGrad"
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
    needs_main_task: ClassVar[bool] = True
    one_process: ClassVar[bool] = True

    def __init__(self, num_tasks: int, main_task: str | None = None, keep_look_ahead: bool = False) -> None:
        super().__init__(num_tasks)
        self.main_task = options.main_task("slgrad", main_task)
        self.keep_look_ahead = options.boolean("slgrad", "keep_look_ahead", keep_look_ahead)
        self.sample_weights = torch.empty(num_tasks, 0)
        self._epoch: list[Tensor] = []
        self._names: list[str] = []

    @override
    def fill(self, step: Step) -> Tensor:
        shared_of(self, step)
        if any(hasattr(module, "_orig_mod") for module in step.model.modules()):
            raise DGRError(
                "Method 'slgrad' takes the gradient of a gradient, which torch.compile does not support; leave encoder "
                "and heads uncompiled."
            )
        step.add_penalty()  # before a look-ahead that is kept moves the encoder
        moved = self._moved(step)
        targets, parameters = step.batch[1], list(moved.values())
        traced = trace(step.tasks, targets, step.predictions, parameters)
        direction = self._direction(step, moved, traced)
        if self.keep_look_ahead:
            with step.autocast():
                again = functional_call(step.model, buffer_copies(step.model), (step.batch[0],))
            traced = trace(step.tasks, targets, again, parameters)
        self.sample_weights = sample_weights(traced.products(direction))
        self._epoch.append(self.sample_weights)
        self._names = [task.name for task in step.tasks]
        traced.backward(self.num_tasks * self.sample_weights)
        return self.num_tasks * self.sample_weights.sum(dim=1)

    @override
    def details(self) -> dict[str, float]:
        """Share of steps whose weights are all zero; by task, the share of zeros and quantiles (:data:`QUANTILES`)."""
        if not self._epoch:
            return {}
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

    def _direction(self, step: Step, moved: Mapping[str, nn.Parameter], traced: TracedBatch) -> list[Tensor]:
        """The main task's gradient after the look-ahead, divided by its norm, on which the weights do not depend."""
        if step.held_out is None or not len(step.held_out[0]):
            raise DGRError("Method 'slgrad' needs a held-out batch that is not empty in every step.")
        ahead = after_step(step.optimizer, moved, traced.gradient, self.keep_look_ahead)
        shared = [value.requires_grad_() for name, value in ahead.items() if name.startswith("encoder.")]
        loss = _held_out_loss(step, self._main(step), ahead)
        gradient = torch.autograd.grad(loss, shared, materialize_grads=True)
        if self.keep_look_ahead:
            with torch.no_grad():
                for name, parameter in moved.items():
                    parameter.copy_(ahead[name])
        largest = torch.stack([part.abs().max() for part in gradient]).max()
        scaled = [part / largest.clamp_min(torch.finfo(part.dtype).tiny) for part in gradient]
        norm = nn.utils.get_total_norm(scaled).clamp_min(torch.finfo(largest.dtype).tiny)
        return [part / norm for part in scaled]


def _held_out_loss(step: Step, main: Task, parameters: Mapping[str, Tensor]) -> Tensor:
    assert step.held_out is not None
    inputs, targets = step.held_out
    head = step.model.heads[main.name]

    def of(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): p for name, p in parameters.items() if name.startswith(prefix)}

    with step.autocast():
        z = functional_call(step.model.encoder, of("encoder.") | buffer_copies(step.model.encoder), (inputs,))
        prediction = functional_call(head, of(f"heads.{main.name}.") | buffer_copies(head), (z,))
        return main.loss(prediction, targets.get(main.name))
