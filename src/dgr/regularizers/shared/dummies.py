"""Dummy heads: copies of the real heads with random weights of their own, which are never trained."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dgr.core.errors import DGRError


def dummy_copy(head: nn.Module) -> nn.Module:
    """A copy that can be drawn anew, and whose prediction is a deterministic function of z without side effects.

    Raises:
        DGRError: a module holds parameters that cannot be drawn anew.
    """
    dummy = copy.deepcopy(head).train()
    for name, module in dummy.named_modules():
        if any(True for _ in module.parameters(recurse=False)) and not hasattr(module, "reset_parameters"):
            raise DGRError(
                f"Module '{name or type(module).__name__}' of a head holds parameters but has no reset_parameters(), "
                "so no dummy can be drawn from it; define that method."
            )
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
        if isinstance(module, nn.modules.batchnorm._NormBase):
            # Without running statistics the layer uses those of the batch, always.
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
    return dummy.double() if next(dummy.parameters()).dtype == torch.float64 else dummy.float()


def draw(dummies: nn.Module, seed: int) -> None:
    """Give every module fresh weights from a random stream of their own, and let none require a gradient."""
    devices = {p.device.index for p in dummies.parameters() if p.is_cuda}
    with torch.random.fork_rng(devices=sorted(devices)):
        torch.manual_seed(seed % 2**63)
        for module in dummies.modules():
            if any(True for _ in module.parameters(recurse=False)):
                module.reset_parameters()  # type: ignore[operator]
    dummies.requires_grad_(False)


@contextmanager
def differentiable(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Lets the dummies' parameters require a gradient here, and nowhere else."""
    parameters = list(parameters)
    for parameter in parameters:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(False)
