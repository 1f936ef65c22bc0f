r"""The exact penalty in closed form, for heads of two linear layers with a ReLU between and cross-entropy on top.

Double backward walks some sixty small operations a head, each with the bookkeeping of autograd; on a small encoder
that shows. For this usual head both the penalty and its gradient can be written down, for all dummies at once. With
:math:`a = W_1 z + b_1`, :math:`m = 1[a > 0]`, :math:`h = m a`, :math:`p = \mathrm{softmax}(W_2 h + b_2)`,

.. math::
    \delta_i = (p_i - y_i)/B, \quad \gamma_i = m_i \odot W_2^\top \delta_i, \quad
    G_2 = \sum_i \delta_i h_i^\top, \quad G_1 = \sum_i \gamma_i z_i^\top,

with the bias gradients :math:`g_2 = \sum_i \delta_i` and :math:`g_1 = \sum_i \gamma_i`. One vector-Jacobian product
with the gradient itself, taken through δ, γ, h and z, gives

.. math::
    u_i &= m_i \odot (G_1 z_i + g_1), \quad e_i = G_2 h_i + g_2 + W_2 u_i, \quad
    c_i = p_i \odot (e_i - p_i^\top e_i)/B, \\
    \tfrac12\, \partial \|g\|^2/\partial z_i &= W_1^\top \big(m_i \odot (G_2^\top \delta_i + W_2^\top c_i)\big)
    + G_1^\top \gamma_i.

Tests compare it with double backward in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

IGNORED = -100
"""The label that torch's cross-entropy leaves out of its mean."""


def has_closed_form(heads: Iterable[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]]) -> bool:
    """Whether all heads are linear, ReLU, linear, of one shape and with biases, and all losses cross-entropy."""
    shapes = set()
    for head in heads:
        layers = list(head) if type(head) is nn.Sequential else []
        if [type(layer) for layer in layers] != [nn.Linear, nn.ReLU, nn.Linear]:
            return False
        shapes.add(tuple(parameter.shape for parameter in head.parameters()))
    return len(shapes) == 1 and len(shapes.pop()) == 4 and all(loss is cross_entropy for loss in losses)


class Gradients(NamedTuple):
    """Squared gradient norms ‖g‖² of M heads, shape ``(M,)``, and a function of M factors s: ``Σ_m s_m ∂‖g_m‖²/∂z``."""

    squared_norms: Tensor
    pull_back: Callable[[Tensor], Tensor]


def parameter_gradients(parameters: Sequence[Sequence[Tensor]], z: Tensor, targets: Sequence[Tensor]) -> Gradients:
    """The gradients of every head's mean cross-entropy with respect to its own parameters.

    Args:
        parameters: those of M heads for which :func:`has_closed_form` holds.
        z: representation, shape ``(batch, width)``.
        targets: class indices of each of the K tasks, shape ``(batch,)`` each; head m belongs to task m mod K.
    """
    heads, batch = len(parameters), len(z)
    w1, b1, w2, b2 = (torch.stack(same) for same in zip(*parameters, strict=True))
    w1, b1 = w1.flatten(0, 1), b1.flatten()  # first layers side by side: one product serves all heads

    def by_head(joined: Tensor) -> Tensor:
        """(batch, heads · hidden) → (heads, batch, hidden)"""
        return joined.view(batch, heads, -1).transpose(0, 1)

    def joined(by_head: Tensor) -> Tensor:
        return by_head.transpose(0, 1).flatten(1)

    labels = torch.stack([*targets] * (heads // len(targets))).unsqueeze(2)
    counted = labels.ne(IGNORED).to(z.dtype)
    share = counted / counted.sum(dim=1, keepdim=True)

    a = by_head(torch.addmm(b1, z, w1.t()))
    m = a.gt(0)
    h = a * m
    p = torch.baddbmm(b2.unsqueeze(1), h, w2.mT).softmax(dim=2)
    delta = p.scatter_add(2, labels.clamp_min(0), p.new_full((1, 1, 1), -1.0).expand(heads, batch, 1)).mul_(share)
    gamma = (delta @ w2).mul_(m)
    gamma_joined = joined(gamma)
    g1, g1_bias, g2, g2_bias = gamma_joined.t() @ z, gamma.sum(dim=1), delta.mT @ h, delta.sum(dim=1)

    def pull_back(factors: Tensor) -> Tensor:
        u = by_head(torch.addmm(g1_bias.flatten(), z, g1.t())) * m
        e = torch.baddbmm(g2_bias.unsqueeze(1), h, g2.mT).baddbmm_(u, w2.mT)
        weighted = p * e
        c = weighted.addcmul_(p, weighted.sum(dim=2, keepdim=True), value=-1).mul_(share)
        through_a = torch.bmm(delta, g2).baddbmm_(c, w2).mul_(m)
        scale = (2 * factors).repeat_interleave(through_a.shape[2])
        return (joined(through_a) * scale) @ w1 + (gamma_joined * scale) @ g1

    squares = [gradient.reshape(heads, -1).square().sum(dim=1) for gradient in (g1, g1_bias, g2, g2_bias)]
    return Gradients(torch.stack(squares).sum(dim=0), pull_back)
