"""R and ∂R/∂z for any heads and losses, by automatic differentiation through one dummy head at a time.

With g the gradient of each norm's losses D with respect to its own parameters θ, R is the sum of ‖g‖², or of ‖g‖. Only
one head's activations are held at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dgr.core.errors import DGRError
from dgr.regularizers.shared.dummies import Parameters
from dgr.regularizers.shared.features import working_type

LossAt = Callable[[Parameters], Tensor]
"""The loss of one dummy head as a function of its parameters, with a graph through them and z."""


class Dummy(NamedTuple):
    """One dummy head: its loss as a function of its parameters, and these."""

    loss_at: LossAt
    parameters: Parameters


class Norms(NamedTuple):
    """Which norms are taken.

    Attributes:
        dummies: how many there are.
        together: how many, one after the other, share one norm.
        sets: N, over which the mean is taken.
        squared: ‖g‖² instead of ‖g‖.
        differentiated: whether ∂R/∂z is wanted; zeros otherwise.
    """

    dummies: int
    together: int
    sets: int
    squared: bool
    differentiated: bool


class Estimate(NamedTuple):
    """R, or a part of it, a scalar; and its gradient by tensor of z."""

    value: Tensor
    gradient: list[Tensor]


def exact_square(dummy: Dummy, leaves: list[Tensor], *, differentiated: bool) -> Estimate:
    """‖g‖² of one head, and ½ ∂‖g‖²/∂z = (∂g/∂z)ᵀ g by double backward, one product with g held fixed.

    Args:
        dummy: the head.
        leaves: the tensors of z, requiring a gradient.
        differentiated: whether the gradient is wanted.

    Returns:
        ‖g‖², and half its gradient by tensor of z: no tensors where it vanishes, or is not wanted.

    Raises:
        DGRError: a layer or the loss cannot be differentiated twice.
    """
    loss = dummy.loss_at(dummy.parameters)
    if not dummy.parameters or not loss.requires_grad:
        return Estimate(leaves[0].new_zeros(()), [])
    gradients = torch.autograd.grad(
        loss, list(dummy.parameters.values()), create_graph=differentiated, materialize_grads=True
    )
    fixed = [gradient.detach() for gradient in gradients]
    square = total_norm(fixed).square()
    # A gradient that does not depend on z, such as that of a loss linear in the prediction, has nothing to add.
    varying = [(g, v) for g, v in zip(gradients, fixed, strict=True) if g.requires_grad]
    if not (differentiated and varying):
        return Estimate(square, [])
    outputs, vectors = zip(*varying, strict=True)
    try:
        return Estimate(square, list(torch.autograd.grad(outputs, leaves, vectors, materialize_grads=True)))
    except RuntimeError as error:
        if "not implemented" in str(error) or "twice" in str(error) or "double backward" in str(error):
            raise DGRError(
                f"A head or its loss cannot be differentiated twice ({error}); "
                "use estimator='finite_difference', which needs first derivatives only."
            ) from error
        raise


def finite_differences(
    dummy: Callable[[int], Dummy | None], leaves: list[Tensor], norms: Norms, epsilon: float
) -> Estimate:
    """R and ∂R/∂z of all dummies by finite differences of length ε; the other arguments as of :func:`.exact.exact`."""
    value, gradient = leaves[0].new_zeros(()), [torch.zeros_like(leaf) for leaf in leaves]
    for start in range(0, norms.dummies, norms.together):
        own = [made for index in range(start, start + norms.together) if (made := dummy(index)) is not None]
        if own:
            part = _one_norm(own, leaves, epsilon, squared=norms.squared, differentiated=norms.differentiated)
            value = value + part.value / norms.sets
            if norms.differentiated:
                gradient = [a + b / norms.sets for a, b in zip(gradient, part.gradient, strict=True)]
    return Estimate(value, gradient)


def inverse(norms: Tensor) -> Tensor:
    """1/‖g‖; 0 where a gradient vanishes, as R is at its minimum there; NaN where ‖g‖ is not finite."""
    return torch.where(norms == 0, 0.0, norms / norms / norms)


def total_norm(tensors: Sequence[Tensor]) -> Tensor:
    """The norm of all entries, whatever the tensors' layouts; in half precision it might be too large or too small."""
    wide = [tensor.to(working_type([tensor])) for tensor in tensors]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(wide)))
    return norm


def _one_norm(
    dummies: Sequence[Dummy], leaves: list[Tensor], epsilon: float, *, squared: bool, differentiated: bool
) -> Estimate:
    """R of the heads that share one norm, and ∂R/∂z, by a step of length ε along g/‖g‖, held fixed.

    With D⁺ the loss after the step, ‖g‖ is (D⁺ − D)/ε. Each head is walked through twice: once for D and its gradients
    in θ and z together, once for D⁺ and its gradient in z.
    """
    at = leaves if differentiated else []
    change = [torch.zeros_like(leaf) for leaf in at]
    here, gradients = [], []
    for dummy in dummies:
        loss = dummy.loss_at(dummy.parameters)
        found = _gradients(loss, [*dummy.parameters.values(), *at])
        here.append(loss.detach())
        gradients.append(found[: len(dummy.parameters)])
        change = [a - b for a, b in zip(change, found[len(dummy.parameters) :], strict=True)]
    norms = torch.stack([total_norm(g) if g else loss.new_zeros(()) for g, loss in zip(gradients, here, strict=True)])
    step = epsilon * inverse(total_norm([norms]))
    rises = []
    for dummy, gradient, before in zip(dummies, gradients, here, strict=True):
        # θ + εg/‖g‖ as new tensors: writing ±ε in place would let the dummies drift by round-off.
        moved = {name: p.detach() + step * g for (name, p), g in zip(dummy.parameters.items(), gradient, strict=True)}
        loss = dummy.loss_at(moved)
        rises.append(loss.detach() - before)
        change = [a + b for a, b in zip(change, _gradients(loss, at), strict=True)]
    # A task without a label has no gradient, and perhaps a mean over nothing, NaN, for its loss.
    slope = torch.where(norms == 0, 0.0, torch.stack(rises)).sum() / epsilon
    factor = (2 * slope if squared else slope.sign()) / epsilon
    return Estimate(slope.square() if squared else slope.abs(), [factor * each for each in change])


def _gradients(loss: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    if not inputs or not loss.requires_grad:
        return [torch.zeros_like(each) for each in inputs]
    return list(torch.autograd.grad(loss, inputs, materialize_grads=True))
