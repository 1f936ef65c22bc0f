"""The exact estimator: closed forms where there are some, double backward through one head at a time elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dgr.regularizers.shared.by_autograd import Dummy, Estimate, Norms, exact_square, inverse
from dgr.regularizers.shared.two_layer import Gradients

Closed = Sequence[tuple[list[int], Gradients]]
"""Gradients in closed form, and the indices of the dummies that they are of."""


def exact(closed: Closed, dummy: Callable[[int], Dummy | None], leaves: list[Tensor], taken: Norms) -> Estimate:
    """R and ∂R/∂z of all dummies.

    Args:
        closed: what is known in closed form.
        dummy: gives any other dummy by its index; None: its task has no target.
        leaves: the tensors of z, requiring a gradient.
        taken: which norms.
    """
    squares: list[Tensor | None] = [None] * taken.dummies
    for indices, gradients in closed:
        for index, square in zip(indices, gradients.squared_norms.unbind(), strict=True):
            squares[index] = square
    parts = []
    for start in range(0, taken.dummies, taken.together):
        part: list[Tensor] = []
        for index in range(start, start + taken.together):
            if squares[index] is None:
                made = dummy(index)
                if made is None:
                    squares[index] = leaves[0].new_zeros(())
                    continue
                squares[index], half = exact_square(made, leaves, differentiated=taken.differentiated)
                part = [a + b for a, b in zip(part, half, strict=True)] if part else half
        parts.append(part)
    norms = torch.stack([square for square in squares if square is not None]).reshape(-1, taken.together).sum(dim=1)
    # By norm, what ∂‖g‖²/∂z is multiplied by: ∂‖g‖/∂z = ∂‖g‖²/∂z / (2‖g‖).
    if taken.squared:
        value, factors = norms.sum(), torch.full_like(norms, 1 / taken.sets)
    else:
        norms = norms.sqrt()
        value, factors = norms.sum(), inverse(norms) / (2 * taken.sets)
    gradient = [torch.zeros_like(leaf) for leaf in leaves] if not closed or any(parts) else []
    if taken.differentiated:
        by_dummy = factors.repeat_interleave(taken.together).unbind()
        for indices, gradients in closed:
            pulled = [gradients.pull_back(torch.stack([by_dummy[index] for index in indices]))]
            gradient = [a + b for a, b in zip(gradient, pulled, strict=True)] if gradient else pulled
        for factor, part in zip(factors.unbind(), parts, strict=True):
            if part:
                torch._foreach_add_(gradient, [2 * factor * half for half in part])
    return Estimate(value / taken.sets, gradient or [torch.zeros_like(leaf) for leaf in leaves])
