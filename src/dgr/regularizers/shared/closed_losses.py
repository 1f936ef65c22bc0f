r"""Losses whose first and second derivatives in the prediction are written down: cross-entropy and squared error.

With logits :math:`o_i`, :math:`p_i = \mathrm{softmax}(o_i)`, target masses :math:`t_i` over the classes,
:math:`T_i = \sum_c t_{ic}` and a divisor W, cross-entropy is :math:`-\frac1W \sum_i \sum_c t_{ic} \log p_{ic}`, and

.. math:: \delta_i = (T_i p_i - t_i)/W, \quad H_i = T_i (\mathrm{diag}\, p_i - p_i p_i^\top)/W.

For class weights w and label smoothing s, :math:`t_{ic} = (1-s) w_c 1[c = y_i] + s w_c/C`, and :math:`W = \sum_i
w_{y_i}` over the samples that are not ignored. Squared error has :math:`\delta = 2 (o - y)/W` and :math:`H = 2/W`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from dgr.core.task import Task
from dgr.regularizers.shared.calling import Loss


class Derivatives(NamedTuple):
    """δ = ∂L/∂o of M heads, shape ``(M, batch, outputs)``, and a function ``e -> H e`` of tensors of that shape."""

    delta: Tensor
    curve: Callable[[Tensor], Tensor]


class LossKind(NamedTuple):
    """What losses must share so that their heads are computed together.

    Attributes:
        squares: squared error; else cross-entropy.
        summed: sum over samples; else the mean.
        weighted: cross-entropy with class weights.
        smoothing: s of cross-entropy.
        ignored: the label that is left out.
    """

    squares: bool = False
    summed: bool = False
    weighted: bool = False
    smoothing: float = 0.0
    ignored: int = -100

    def fits(self, target: Tensor, batch: int, outputs: int) -> bool:
        """Whether a target is of the form that is written down; others are left to autograd, with its messages."""
        if self.squares:
            return target.is_floating_point() and target.shape == (batch, outputs)
        return target.dtype == torch.int64 and target.shape == (batch,)


def kind_of(loss: Loss) -> LossKind | None:
    """The kind of a loss; None where its derivatives are not written down."""
    owner = getattr(loss, "__self__", None)
    if isinstance(owner, Task):
        loss = owner.criterion
    if loss is cross_entropy:
        return LossKind()
    if loss is mse_loss:
        return LossKind(squares=True)
    if not isinstance(loss, nn.CrossEntropyLoss | nn.MSELoss) or loss.reduction == "none" or has_hooks(loss):
        return None
    summed = loss.reduction == "sum"
    if type(loss) is nn.MSELoss:
        return LossKind(squares=True, summed=summed)
    if type(loss) is nn.CrossEntropyLoss:
        return LossKind(False, summed, loss.weight is not None, loss.label_smoothing, loss.ignore_index)
    return None


def has_hooks(module: nn.Module) -> bool:
    """Whether something else is called with a module of torch, which a formula would leave out."""
    return any(
        (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    ) or hasattr(module, "parametrizations")


def derivatives(kind: LossKind, losses: Sequence[Loss], outputs: Tensor, targets: Sequence[Tensor]) -> Derivatives:
    """δ and H of M heads.

    Args:
        kind: that of all the losses.
        losses: one a head.
        outputs: predictions o, shape ``(M, batch, outputs)``.
        targets: one a head, fitting ``kind``.

    Raises:
        RuntimeError: on a CPU, a label is no class; on CUDA the device stops as it does for torch's own loss.
    """
    if kind.squares:
        scale = 2.0 if kind.summed else 2.0 / outputs[0].numel()
        delta = (outputs - torch.stack([target.to(outputs.dtype) for target in targets])).mul_(scale)
        return Derivatives(delta, lambda e: e * scale)
    labels = torch.stack(list(targets)).unsqueeze(2)
    counted = labels.ne(kind.ignored)
    labels = labels * counted
    p = outputs.softmax(dim=2)
    share = counted.to(p.dtype)
    weights = None
    if kind.weighted:
        weights = torch.stack([_weight_of(loss).to(p) for loss in losses]).unsqueeze(1)
        share = share * weights.expand_as(p).gather(2, labels)
    # Not zero: a task without a label in this batch has no gradient.
    divisor = 1.0 if kind.summed else share.sum(dim=1, keepdim=True).clamp_min_(torch.finfo(share.dtype).tiny)
    if not kind.smoothing:
        share = share / divisor
        delta = p.scatter_add(2, labels, p.new_full((1, 1, 1), -1.0).expand_as(labels)).mul_(share)
    else:
        s, classes = kind.smoothing, p.shape[2]
        masses = (counted * torch.ones_like(p) * (s / classes)) * (1.0 if weights is None else weights)
        masses = masses.scatter_add(2, labels, (1 - s) * share)
        share = masses.sum(dim=2, keepdim=True) / divisor
        delta = share * p - masses / divisor

    def curve(e: Tensor) -> Tensor:
        weighted = p * e
        return weighted.addcmul_(p, weighted.sum(dim=2, keepdim=True), value=-1).mul_(share)

    return Derivatives(delta, curve)


def _weight_of(loss: Loss) -> Tensor:
    assert isinstance(loss, nn.CrossEntropyLoss)
    assert loss.weight is not None
    return loss.weight.detach()
