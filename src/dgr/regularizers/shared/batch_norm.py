r"""Batch normalisation by the statistics of the batch, with second derivatives in fourteen operations.

Torch takes some seventy small ones, which are half of what a convolutional head launches under double backward. With
:math:`\hat x` the normalised input, r one over its standard deviation, :math:`\gamma` the weight and m the mean over a
channel, the first derivative of a gradient g is

.. math:: \gamma r (g - a - \hat x b), \; n b, \; n a \text{ in } x, \gamma, \beta, \quad a = m(g), \; b = m(g \hat x).

Products of these with v, w and u have in g and in x the derivatives that :meth:`_Backward.backward` writes down.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Normalize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        normal, mean, inverse = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, inverse)
        ctx.eps = eps
        return normal

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse = ctx.saved_tensors
        return *_Backward.apply(grad_outputs[0], x, weight, mean, inverse, ctx.eps), None  # type: ignore[no-untyped-call]


class _Backward(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverse: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        in_x, in_weight, in_bias = torch.ops.aten.native_batch_norm_backward(
            g, x, weight, None, None, mean, inverse, True, eps, [True, True, True]
        )
        ctx.save_for_backward(g, x, weight, mean, inverse, in_weight, in_bias)
        ctx.set_materialize_grads(False)
        return in_x, in_weight, in_bias

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        """The derivative in the weight is left out: dummies are differentiated twice in z alone."""
        v, w, u = grad_outputs
        g, x, *channels = ctx.saved_tensors
        rest, n = [d for d in range(x.ndim) if d != 1], x.numel() / x.shape[1]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        weight, mean, r, in_weight, in_bias = (each.view(shape) for each in channels)
        normal = (x - mean).mul_(r)
        gain, a, b = weight * r, in_bias / n, in_weight / n
        w, u = (torch.zeros_like(r) if each is None else each.view(shape) for each in (w, u))
        if v is None:
            return normal * w + u, (w * r) * (g - a - normal * b), None, None, None, None
        mean_v = v.mean(rest, keepdim=True)
        v_normal, v_g = ((v * other).mean(rest, keepdim=True) for other in (normal, g))
        from_w = w - gain * v_normal
        in_g = (v * gain).addcmul_(normal, from_w).add_(u - gain * mean_v)
        along = -r * b * (from_w - gain * v_normal) - gain * r * (v_g - a * mean_v - b * v_normal)
        in_x = (v * (-gain * r * b)).addcmul_(g, r * from_w).addcmul_(normal, along)
        return in_g, in_x.add_(r * (gain * mean_v * b - a * from_w)), None, None, None, None


class BatchStatistics(nn.modules.batchnorm._BatchNorm):
    """What a dummy's batch normalisation becomes, of one dimension, two or three."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """The input with mean 0 and variance 1 over the batch in every channel, times the weight, plus the bias.

        Raises:
            ValueError: there is one value a channel, as torch's own layers say.
        """
        if input.numel() <= input.shape[1]:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
        weight = input.new_ones(input.shape[1]) if self.weight is None else self.weight
        bias = torch.zeros_like(weight) if self.bias is None else self.bias
        normal: Tensor = _Normalize.apply(input, weight, bias, self.eps)  # type: ignore[no-untyped-call]
        return normal


REPLACED = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
"""Layers that become :class:`BatchStatistics`."""
