"""Methods that combine the tasks' gradients on the encoder, over TorchJD."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torchjd.aggregation import Aggregator, GramianWeightedAggregator, Weighting
from torchjd.autojac import jac_to_grad, mtl_backward
from torchjd.linalg import PSDMatrix
from typing_extensions import override

from dgr.methods.shared.base import Method, Step, shared_of, trainable
from dgr.methods.shared.ranks import average, of_first


class GradientBalancing(Method):
    r"""Fills the encoder's gradient with :math:`\mathcal A(J)`, J the K×n Jacobian of the losses, and then adds λ∂R/∂E.

    Each head gets the gradient of its own loss; :func:`weigh_heads` multiplies it by the weight where a method trains
    on :math:`\sum_k w_k L_k`. A balancer needs every row of J, so it walks the encoder back K times; the regularizer
    must stay out of the rows and takes one walk more, the least there can be (:meth:`Step.add_penalty`, first).

    Args:
        num_tasks: number K of tasks.
        aggregator: the map from J to one gradient.
    """

    def __init__(self, num_tasks: int, aggregator: Aggregator) -> None:
        super().__init__(num_tasks)
        # Not a submodule: TorchJD registers a weighting twice, and state_dict() would list its buffers twice.
        gramian = isinstance(aggregator, GramianWeightedAggregator)
        options = {"optimize_gramian_computation": True} if gramian else {}
        self._to_grad = partial(jac_to_grad, aggregator=aggregator, **options)

    def scale(self, step: Step) -> list[Tensor]:
        """The losses whose gradients are balanced, one graph each."""
        return list(step.losses)

    @override
    def fill(self, step: Step) -> Tensor:
        shared = shared_of(self, step)
        step.add_penalty()
        mtl_backward(
            self.scale(step),
            features=step.representation,
            # Parameters of the method hang on every loss; TorchJD adds up what the losses send them.
            tasks_params=[[*trainable(step.model.head_parameters(t.name)), *self.parameters()] for t in step.tasks],
            shared_params=shared,
            parallel_chunk_size=1,
        )
        # Of the mean over processes, the Jacobian of their batches together, everything else follows.
        average([parameter.jac for parameter in shared])  # type: ignore[attr-defined]
        weights: Tensor | None = self._to_grad(shared)
        return step.even_weights() if weights is None else weights


class ScaleFree(Weighting[PSDMatrix]):
    """Weights of JJᵀ computed in float64 at trace 1, then multiplied by a constant.

    For weightings that do not depend on the scale of J. TorchJD's compare the Gramian with absolute thresholds, and
    its CAGrad would stop training the encoder once the gradients' norm falls below 0.01.

    Args:
        weighting: the weighting at trace 1.
        factor: brings the result to the scale of the summed loss.
    """

    def __init__(self, weighting: Weighting[PSDMatrix], factor: float = 1.0) -> None:
        super().__init__()
        self.weighting = weighting
        self.factor = factor

    @override
    def forward(self, gramian: PSDMatrix, /) -> Tensor:
        precise = gramian.double()
        trace = precise.trace().clamp(min=torch.finfo(precise.dtype).tiny)
        return of_first((self.factor * self.weighting(precise / trace)).to(gramian.dtype))


def weigh_heads(step: Step, weights: Tensor) -> None:
    """Multiply the gradient of each head by the weight of its task."""
    for task, weight in zip(step.tasks, weights, strict=True):
        for parameter in trainable(step.model.head_parameters(task.name)):
            assert parameter.grad is not None  # the backward pass has filled it
            parameter.grad.mul_(weight)
