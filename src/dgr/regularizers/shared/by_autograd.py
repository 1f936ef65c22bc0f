"""R and ∂R/∂z for any heads and losses, by automatic differentiation through the dummy heads.

With g the gradient of each norm's losses D with respect to its own parameters θ, R is the sum of ‖g‖², or of ‖g‖.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, islice
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

Groups = list[list[Tensor]]
"""Parameters, or gradients, of the dummy heads that share one norm."""


class Estimate(NamedTuple):
    """R, a scalar, and ∂R/∂z, of the shape of z; sums over norms."""

    value: Tensor
    gradient: Tensor


def exact(z: Tensor, losses: list[Tensor], parameters: Groups, *, squared: bool, sets: int) -> Estimate:
    """By double backward: ∂‖g‖²/∂z = 2 (∂g/∂z)ᵀ g and ∂‖g‖/∂z = (∂g/∂z)ᵀ g/‖g‖, one product with g held fixed.

    Args:
        z: the representation, requiring a gradient.
        losses: of every dummy head, with graphs through z and the parameters.
        parameters: of the heads, by norm.
        squared: ‖g‖² instead of ‖g‖.
        sets: number of sets of dummies, over which the mean is taken.
    """
    gradients = _gradients(losses, parameters, create_graph=True)
    fixed = [[g.detach() for g in gradient] for gradient in gradients]
    norms = torch.stack([_norm(gradient) for gradient in fixed])
    if squared:
        value, factor = norms.square().sum(), 2.0
    else:
        value, factor = norms.sum(), 1.0
        fixed = [[step * g for g in gradient] for step, gradient in zip(inverse(norms), fixed, strict=True)]
    # A gradient that does not depend on z, such as that of a loss linear in the prediction, has nothing to add.
    varying = [(g, v) for g, v in zip(chain(*gradients), chain(*fixed), strict=True) if g.requires_grad]
    if not varying:
        return Estimate(value / sets, torch.zeros_like(z))
    outputs, vectors = zip(*varying, strict=True)
    (product,) = torch.autograd.grad(outputs, z, vectors, materialize_grads=True)
    return Estimate(value / sets, product * (factor / sets))


def finite_difference(
    z: Tensor,
    losses: list[Tensor],
    parameters: Groups,
    losses_at: Callable[[Groups], list[Tensor]],
    *,
    epsilon: float,
    squared: bool,
    sets: int,
) -> Estimate:
    """By a step of length ε along g/‖g‖, held fixed: with D⁺ after it, ‖g‖ is (D⁺ − D)/ε.

    Args:
        z: as of :func:`exact`.
        losses: as there.
        parameters: as there.
        losses_at: the losses with other parameters in place of the dummies' own.
        epsilon: ε.
        squared: as there.
        sets: as there.
    """
    gradients = _gradients(losses, parameters, create_graph=False)
    steps = epsilon * inverse(torch.stack([_norm(gradient) for gradient in gradients]))
    # θ + εg/‖g‖ as new tensors: writing ±ε in place would let the dummies drift by round-off.
    moved = [
        [p.detach() + step * g for p, g in zip(group, gradient, strict=True)]
        for step, group, gradient in zip(steps, parameters, gradients, strict=True)
    ]
    rises = _sums(losses_at(moved), len(parameters)) - _sums(losses, len(parameters))
    slopes = rises.detach() / epsilon
    factors = (2 * slopes if squared else slopes.sign()) / (epsilon * sets)
    value = (slopes.square() if squared else slopes.abs()).sum() / sets
    return Estimate(value, torch.autograd.grad((factors * rises).sum(), z)[0])


def inverse(norms: Tensor) -> Tensor:
    """1/‖g‖, and 0 where a gradient vanishes: there R is at its minimum and has no direction."""
    return torch.where(norms > 0, norms.clamp_min(torch.finfo(norms.dtype).tiny).reciprocal(), 0.0)


def _sums(losses: list[Tensor], norms: int) -> Tensor:
    """The losses whose gradients share one norm, added."""
    return torch.stack(losses).reshape(norms, -1).sum(dim=1)


def _gradients(losses: list[Tensor], parameters: Groups, *, create_graph: bool) -> Groups:
    """∂D/∂θ of every group; as the heads share no parameter, one backward of all losses gives each."""
    flat = torch.autograd.grad(
        losses,
        list(chain(*parameters)),
        create_graph=create_graph,
        retain_graph=True,
        materialize_grads=True,
    )
    remaining = iter(flat)
    return [list(islice(remaining, len(group))) for group in parameters]


def _norm(gradient: list[Tensor]) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(parameters_to_vector(gradient))
    return norm
