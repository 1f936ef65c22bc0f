"""Dummy heads: copies of the real heads, deterministic and without side effects, which are never trained."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from dgr.core.errors import DGRError
from dgr.regularizers.shared.batch_norm import REPLACED, BatchStatistics

Parameters = dict[str, Tensor]
"""Of one dummy head, by name."""


def dummy_copy(head: nn.Module) -> nn.Module:
    """A copy whose prediction is a deterministic function of z: evaluation mode, batch statistics, not compiled.

    Raises:
        DGRError: the head has parameters without a shape, or none of its own.
    """
    head = _unwrapped(head)
    if any(nn.parameter.is_lazy(parameter) for parameter in head.parameters()):
        raise DGRError("A head's parameters have no shape yet; run the model once before the penalty is built.")
    dummy = copy.deepcopy(head, _kept_results(head)).eval()
    for module in list(dummy.modules()):
        for name, child in module.named_children():
            if child is not _unwrapped(child):
                setattr(module, name, _unwrapped(child))  # compiled code has no second derivatives
        if isinstance(module, nn.modules.batchnorm._NormBase):
            # Without running statistics the layer uses those of the batch, always.
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
        if type(module) in REPLACED:
            module.__class__ = BatchStatistics
    double = any(parameter.dtype == torch.float64 for parameter in dummy.parameters())
    return (dummy.double() if double else dummy.float()).requires_grad_(False)


def parameters_of(dummy: nn.Module, dtype: torch.dtype) -> Parameters:
    """The parameters as they are now, found anew since they may be swapped: leaves that require a gradient.

    Raises:
        DGRError: they are sharded.
    """
    found = dict(dummy.named_parameters())
    if any(hasattr(parameter, "placements") for parameter in found.values()):
        raise DGRError(
            "The dummies' parameters are sharded; keep the regularizer out of fully_shard, as nothing in it is trained."
        )
    return {name: parameter.detach().to(dtype).requires_grad_() for name, parameter in found.items()}


def _unwrapped(head: nn.Module) -> nn.Module:
    """The head within ``torch.compile`` or data parallelism."""
    if hasattr(head, "_orig_mod"):
        return _unwrapped(head._orig_mod)  # type: ignore[arg-type]
    if isinstance(head, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return _unwrapped(head.module)
    return head


def _kept_results(head: nn.Module) -> dict[int, Any]:
    """What a forward pass has left in a head, for deepcopy, which refuses tensors that have a history."""
    kept: dict[int, Any] = {}
    for module in head.modules():
        for value in pytree.tree_leaves(vars(module)):
            if torch.is_tensor(value) and not value.is_leaf:
                kept[id(value)] = value.detach()
    return kept
