"""A scalar whose backward sends a gradient that is already known."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgr.core.errors import DGRError


class _Carrier(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, gradients: tuple[Tensor, ...], *leaves_and_marks: Tensor) -> Tensor:
        count = len(gradients)
        ctx.kinds = [(leaf.shape, leaf.dtype) for leaf in leaves_and_marks[:count]]
        ctx.save_for_backward(*gradients, *leaves_and_marks[count:])
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        count = len(ctx.kinds)
        gradients, marks = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        # The factor, a loss scale of 65536 perhaps, comes before the rounding to half precision: the sum of both may
        # fit where the gradient alone is too small, and the gradient where the scale alone is too large.
        kinds = zip(gradients, ctx.kinds, strict=True)
        sent = [(grad_outputs[0] * gradient).to(dtype).expand(shape) for gradient, (shape, dtype) in kinds]
        if torch.is_grad_enabled():
            sent = [_FirstOnly.apply(each, *marks) for each in sent]  # type: ignore[no-untyped-call]
        return None, None, *sent, *([None] * count)


class _FirstOnly(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, *marks: Tensor) -> Tensor:
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        raise DGRError(
            "The penalty of DGR has first derivatives only; leave it out of what is differentiated twice, "
            "and add its gradient afterwards."
        )


def with_gradients(leaves: list[Tensor], value: Tensor, gradients: list[Tensor]) -> Tensor:
    """The value, whose backward sends each gradient in its tensor's type to that tensor alone.

    A gradient has its tensor's shape, or is one number for all entries.
    Differentiating the sent gradients again raises a DGRError: what would come out lacks the terms of ∂²R/∂z².
    """
    marks = [leaf[:0].clone() for leaf in leaves]  # empty, and part of the tensor's history
    carried: Tensor = _Carrier.apply(value, tuple(gradients), *leaves, *marks)  # type: ignore[no-untyped-call]
    return carried
