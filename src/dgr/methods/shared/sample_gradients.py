"""Inner products of every sample's gradient with a direction, without a gradient a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgr.core.task import Task


@dataclass(frozen=True)
class TracedBatch:
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


def trace(
    tasks: Sequence[Task],
    targets: Mapping[str, Tensor | None],
    predictions: Mapping[str, Tensor],
    parameters: Sequence[nn.Parameter],
) -> TracedBatch:
    """Make the summed loss's gradient a function of the weights of its terms.

    Args:
        tasks: in the order of the rows of weights.
        targets: by task name.
        predictions: by task name, with their graph.
        parameters: what the gradient is of.
    """
    own = [predictions[task.name] for task in tasks]
    leaves = [prediction.detach().requires_grad_() for prediction in own]
    losses = [task.loss(leaf, targets.get(task.name)) for task, leaf in zip(tasks, leaves, strict=True)]
    cotangents = torch.autograd.grad(torch.stack(losses).sum(), leaves)
    weights = torch.ones(len(own), len(own[0]), dtype=own[0].dtype, device=own[0].device, requires_grad=True)
    rows = _rows_scaled(cotangents, weights)
    gradient = torch.autograd.grad(own, parameters, rows, create_graph=True, materialize_grads=True)
    return TracedBatch(own, cotangents, weights, gradient)


def _rows_scaled(tensors: Sequence[Tensor], factors: Tensor) -> list[Tensor]:
    return [tensor * own.view(-1, *[1] * (tensor.ndim - 1)) for tensor, own in zip(tensors, factors, strict=True)]


def sample_weights(products: Tensor) -> Tensor:
    """``max(0, s) / Σ max(0, s)``, and zeros where no product is positive; shape ``(tasks, samples)``."""
    positive = products.clamp_min(0)
    total = positive.sum()
    # Not "where positive": what is not a number must not look like "no sample helps".
    return torch.where(total == 0, 0.0, positive / total)
