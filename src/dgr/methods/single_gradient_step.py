"""SGS: shared layers follow each task's gradient after one step of its own (reconstruction)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call
from typing_extensions import override

from dgr.core.task import Task
from dgr.methods.shared.base import Method, Step, shared_of, trainable
from dgr.methods.shared.look_ahead import buffer_copies
from dgr.methods.shared.options import boolean, number

LABEL = "SGS"


class SingleGradientStep(Method):
    r"""Trains heads and shared layers apart, the shared ones through an inner step a task and an outer step for all.

    1. Each head takes a step on its own loss while the shared parameters θ are fixed:
       :math:`\phi_t' = \phi_t - \eta \nabla_{\phi_t} L_t(\theta, \phi_t)`.
    2. For each task one inner step: :math:`\theta_t' = \theta - \alpha \nabla_\theta L_t(\theta, \phi_t')`.
    3. The shared parameters get the gradient :math:`\sum_t \nabla L_t(\theta_t', \phi_t')`: with respect to
       :math:`\theta_t'` (first order), or through the inner step with respect to θ (second order).

    **Reconstruction** from the abstract: no more could be read. Lee, Son, arXiv 2005.09910; Neurocomputing 467,
    442–453 (2022). The optimizer takes the heads' and the shared step; with plain SGD the heads end at
    :math:`\phi_t'`. The inner step is plain SGD whatever the optimizer, and looks at the tasks only, not at a
    regularizer. BatchNorm uses batch statistics in the inner passes, whose running statistics are thrown away.

    Args:
        num_tasks: number K of tasks.
        inner_learning_rate: α; by default η, the optimizer's current step size.
        second_order: differentiate through the inner step.

    Raises:
        DGRError: the step size is not a positive number.
    """

    one_process: ClassVar[bool] = True

    def __init__(self, num_tasks: int, inner_learning_rate: float | None = None, second_order: bool = False) -> None:
        super().__init__(num_tasks)
        if inner_learning_rate is not None:
            number("single_gradient_step", "inner_learning_rate", inner_learning_rate, above=0)
        self.inner_learning_rate = inner_learning_rate
        self.second_order = boolean("single_gradient_step", "second_order", second_order)

    @override
    def fill(self, step: Step) -> Tensor:
        shared_of(self, step)
        shared = {name: p for name, p in step.model.encoder.named_parameters() if p.requires_grad}
        total = [torch.zeros_like(parameter) for parameter in shared.values()]
        for task, loss in zip(step.tasks, step.losses, strict=True):
            moved_head = self._train_head(step, task, loss)
            for sum_, part in zip(total, self._outer_gradient(step, task, shared, moved_head), strict=True):
                sum_ += part
        for parameter, gradient in zip(shared.values(), total, strict=True):
            parameter.grad = gradient
        step.add_penalty()
        return step.even_weights()

    @staticmethod
    def _train_head(step: Step, task: Task, loss: Tensor) -> dict[str, Tensor]:
        """Fill the head's gradient; gives the head's parameters after a plain step."""
        head = step.model.heads[task.name]
        parameters = trainable(head.parameters())
        if not parameters:
            return {}
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, materialize_grads=True)
        moved = {}
        names = [name for name, parameter in head.named_parameters() if parameter.requires_grad]
        for name, parameter, gradient in zip(names, parameters, gradients, strict=True):
            parameter.grad = gradient
            moved[name] = parameter.detach() - step.learning_rate * gradient
        return moved

    def _outer_gradient(
        self, step: Step, task: Task, shared: Mapping[str, nn.Parameter], head: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        inputs, targets = step.batch

        def loss_at(z: Tensor) -> Tensor:
            state = {**head, **buffer_copies(step.model.heads[task.name])}
            with step.autocast():
                prediction = functional_call(step.model.heads[task.name], state, (z,))
                return task.loss(prediction, targets.get(task.name))

        inner = torch.autograd.grad(
            loss_at(step.representation),
            list(shared.values()),
            retain_graph=True,
            create_graph=self.second_order,
            materialize_grads=True,
        )
        rate = step.learning_rate if self.inner_learning_rate is None else self.inner_learning_rate
        moved = {name: p - rate * g for (name, p), g in zip(shared.items(), inner, strict=True)}
        if not self.second_order:
            moved = {name: value.detach().requires_grad_() for name, value in moved.items()}
        with step.autocast():
            z = functional_call(step.model.encoder, {**moved, **buffer_copies(step.model.encoder)}, (inputs,))
        outer = loss_at(z)
        wanted = list(shared.values() if self.second_order else moved.values())
        # The second order walks through the graph of the batch too, which the next task needs again.
        return torch.autograd.grad(outer, wanted, retain_graph=self.second_order, materialize_grads=True)
