r"""The exact penalty in closed form, for heads of one linear layer, or two with a ReLU between; a ReLU may end both.

Double backward walks some sixty small operations a head, each with the bookkeeping of autograd; on a small encoder
that shows. For these usual heads both the penalty and its gradient can be written down, for all heads of one shape at
once. With δ and H the first and second derivative of the loss in the prediction (:mod:`.closed_losses`),
:math:`a = W_1 z + b_1`, :math:`m = 1[a > 0]`, :math:`h = m a`,

.. math::
    \gamma_i = m_i \odot W_2^\top \delta_i, \quad
    G_2 = \sum_i \delta_i h_i^\top, \quad G_1 = \sum_i \gamma_i z_i^\top,

with the bias gradients :math:`g_2 = \sum_i \delta_i` and :math:`g_1 = \sum_i \gamma_i`. One vector-Jacobian product
with the gradient itself, taken through δ, γ, h and z, gives

.. math::
    u_i &= m_i \odot (G_1 z_i + g_1), \quad e_i = G_2 h_i + g_2 + W_2 u_i, \quad c_i = H_i e_i, \\
    \tfrac12\, \partial \|g\|^2/\partial z_i &= W_1^\top \big(m_i \odot (G_2^\top \delta_i + W_2^\top c_i)\big)
    + G_1^\top \gamma_i,

and for a single layer :math:`W^\top H_i (G z_i + g) + G^\top \delta_i`. A ReLU at the end cuts δ and both sides of H to
where the prediction is positive. Tests compare all with double backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dgr.regularizers.shared.closed_losses import Derivatives, has_hooks

LAYERS = ([nn.Linear], [nn.Linear, nn.ReLU, nn.Linear])
SILENT = (nn.Dropout, nn.Identity)
"""What does nothing in a dummy."""


class Layers(NamedTuple):
    """One or two linear layers, and whether a ReLU ends the head."""

    linear: list[nn.Linear]
    cut: bool


class Gradients(NamedTuple):
    """Squared gradient norms ‖g‖² of M heads, shape ``(M,)``, and a function of M factors s: ``Σ_m s_m ∂‖g_m‖²/∂z``."""

    squared_norms: Tensor
    pull_back: Callable[[Tensor], Tensor]


def linear_layers(head: nn.Module) -> Layers | None:
    """The layers, with biases, of a head that has a closed form; None for another head."""
    parts = list(head) if type(head) is nn.Sequential else [head]
    kinds = [type(part) for part in parts if type(part) not in SILENT]
    cut = kinds[-1:] == [nn.ReLU]
    if (kinds[:-1] if cut else kinds) not in LAYERS or any(map(has_hooks, [head, *parts])):
        return None
    linear = [part for part in parts if isinstance(part, nn.Linear)]
    # Sharded weights are left to the other path, which says what to do about them.
    usual = all(layer.bias is not None and not hasattr(layer.weight, "placements") for layer in linear)
    return Layers(linear, cut) if usual else None


def parameter_gradients(layers: Sequence[Layers], z: Tensor, derivatives: Callable[[Tensor], Derivatives]) -> Gradients:
    """The gradients of every head's loss with respect to its own parameters.

    Args:
        layers: :func:`linear_layers` of M heads of one shape.
        z: representation, shape ``(batch, width)``.
        derivatives: δ and H of the heads' losses at their predictions, shape ``(M, batch, outputs)``.
    """
    heads, batch = len(layers), len(z)
    tensors = [[tensor for layer in head.linear for tensor in (layer.weight, layer.bias)] for head in layers]
    w1, b1, *rest = (torch.stack([tensor.to(z.dtype) for tensor in same]) for same in zip(*tensors, strict=True))
    w1, b1 = w1.flatten(0, 1), b1.flatten()  # first layers side by side: one product serves all heads

    def by_head(joined: Tensor) -> Tensor:
        """(batch, heads · hidden) → (heads, batch, hidden)"""
        return joined.view(batch, heads, -1).transpose(0, 1)

    def joined(by_head: Tensor) -> Tensor:
        return by_head.transpose(0, 1).flatten(1)

    def at(outputs: Tensor) -> Derivatives:
        if not layers[0].cut:
            return derivatives(outputs)
        kept = outputs.gt(0)
        delta, curve = derivatives(outputs * kept)
        return Derivatives(delta.mul_(kept), lambda e: curve(e * kept).mul_(kept))

    a = by_head(torch.addmm(b1, z, w1.t()))
    if not rest:
        delta, curve = at(a)
        gamma, own = delta, []
    else:
        w2, b2 = rest
        m = a.gt(0)
        h = a * m
        delta, curve = at(torch.baddbmm(b2.unsqueeze(1), h, w2.mT))
        gamma = (delta @ w2).mul_(m)
        g2, g2_bias = delta.mT @ h, delta.sum(dim=1)
        own = [g2, g2_bias]
    gamma_joined = joined(gamma)
    g1, g1_bias = gamma_joined.t() @ z, gamma.sum(dim=1)

    def pull_back(factors: Tensor) -> Tensor:
        u = by_head(torch.addmm(g1_bias.flatten(), z, g1.t()))
        if not rest:
            through_a = curve(u)
        else:
            u = u * m
            e = torch.baddbmm(g2_bias.unsqueeze(1), h, g2.mT).baddbmm_(u, w2.mT)
            through_a = torch.bmm(delta, g2).baddbmm_(curve(e), w2).mul_(m)
        scale = (2 * factors).repeat_interleave(through_a.shape[2])
        return (joined(through_a) * scale) @ w1 + (gamma_joined * scale) @ g1

    squares = [gradient.reshape(heads, -1).square().sum(dim=1) for gradient in (g1, g1_bias, *own)]
    return Gradients(torch.stack(squares).sum(dim=0), pull_back)
