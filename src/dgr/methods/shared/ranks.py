"""Means over the processes that train one model together; nothing happens in a single process."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn


def processes() -> int:
    """How many processes train together: those of the default group of ``torch.distributed``, or one."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def average(tensors: Sequence[Tensor]) -> None:
    """Put in place of each tensor its mean over the processes, which must all pass the same shapes and types."""
    if processes() == 1:
        return
    for kind in dict.fromkeys((tensor.dtype, tensor.device) for tensor in tensors):
        own = [tensor for tensor in tensors if (tensor.dtype, tensor.device) == kind]
        joined = torch.cat([tensor.detach().flatten() for tensor in own])  # one message, not one a tensor
        dist.all_reduce(joined)  # sums: not every backend has a mean
        joined /= processes()
        for tensor, part in zip(own, torch.split(joined, [tensor.numel() for tensor in own]), strict=True):
            tensor.detach().copy_(part.view(tensor.shape))


def of_first(tensor: Tensor) -> Tensor:
    """What the first process has here: for random draws, since each process has a generator of its own."""
    if processes() > 1:
        tensor = tensor.contiguous()
        dist.broadcast(tensor, src=0)
    return tensor


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Average ``.grad``; one that some process lacks counts as zero there, one that all lack stays None."""
    if processes() == 1 or not parameters:
        return
    given = torch.tensor([float(parameter.grad is not None) for parameter in parameters], device=parameters[0].device)
    average([given])
    gradients = []
    for parameter, share in zip(parameters, given.tolist(), strict=True):
        if share:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
    average(gradients)
