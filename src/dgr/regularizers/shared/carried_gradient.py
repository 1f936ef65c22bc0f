"""A scalar whose backward sends a gradient that is already known."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Carrier(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, representation: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient.to(representation.dtype))
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return grad_outputs[0] * gradient, None, None


def with_gradient(representation: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
    """The value, whose backward sends the gradient, of the representation's shape and in its type, to it alone."""
    carried: Tensor = _Carrier.apply(representation, value, gradient)  # type: ignore[no-untyped-call]
    return carried
