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
    if len(closed) == 1 and len(closed[0][0]) == taken.dummies:  # the usual heads: nothing is put together
        gradients = closed[0][1]
        value, factors = _value_and_factors(gradients.squared_norms, taken)
        return Estimate(value, [gradients.pull_back(factors)] if taken.differentiated else _nothing(leaves))
    squares: list[Tensor | None] = [None] * taken.dummies
    for indices, gradients in closed:
        for index, square in zip(indices, gradients.squared_norms.unbind(), strict=True):
            squares[index] = square
    gradient = _nothing(leaves)
    for start in range(0, taken.dummies, taken.together):
        half = gradient if taken.squared else _nothing(leaves)  # one sum for all, where all have one factor
        for index in range(start, start + taken.together):
            if squares[index] is None:
                made = dummy(index)
                if made is None:
                    squares[index] = leaves[0].new_zeros(())
                else:
                    squares[index], own = exact_square(made, leaves, differentiated=taken.differentiated)
                    if own:
                        torch._foreach_add_(half, own)
                    del own  # before the next head takes its memory
        if not taken.squared:
            norm = (
                torch.stack([each for each in squares[start : start + taken.together] if each is not None]).sum().sqrt()
            )
            torch._foreach_add_(gradient, [inverse(norm) / taken.sets * each for each in half])
    value, factors = _value_and_factors(torch.stack([square for square in squares if square is not None]), taken)
    if not taken.differentiated:
        return Estimate(value, gradient)
    if taken.squared:
        torch._foreach_mul_(gradient, 2 / taken.sets)
    by_dummy = factors.unbind()
    for indices, gradients in closed:
        gradient[0].add_(gradients.pull_back(torch.stack([by_dummy[index] for index in indices])))
    return Estimate(value, gradient)


def _value_and_factors(squares: Tensor, taken: Norms) -> tuple[Tensor, Tensor]:
    """R from all ‖g‖² by dummy, and what each ∂‖g‖²/∂z is multiplied by: ∂‖g‖/∂z = ∂‖g‖²/∂z / (2‖g‖)."""
    if taken.squared:
        return squares.sum() / taken.sets, torch.full_like(squares, 1 / taken.sets)
    norms = squares.reshape(-1, taken.together).sum(dim=1).sqrt()
    return norms.sum() / taken.sets, (inverse(norms) / (2 * taken.sets)).repeat_interleave(taken.together)


def _nothing(leaves: list[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(leaf) for leaf in leaves]
