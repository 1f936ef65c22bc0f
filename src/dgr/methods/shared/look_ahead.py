"""Passes through a model that leave no trace in it: other parameters, an optimizer's next step, copies of buffers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def buffer_copies(module: nn.Module) -> dict[str, Tensor]:
    """Copies of a module's buffers by name, since BatchNorm in training mode would write to the module's."""
    return {name: buffer.clone() for name, buffer in module.named_buffers()}


def laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """A gradient in its parameter's memory layout, which fused optimizers take for granted."""
    return torch.empty_like(parameter).copy_(gradient.detach())


def after_step(
    optimizer: Optimizer, named: Mapping[str, nn.Parameter], gradients: Sequence[Tensor], keep_state: bool
) -> dict[str, Tensor]:
    """Copies of parameters after the optimizer's step along gradients; the parameters stay where they are.

    Args:
        optimizer: its class, its groups' options and its state decide the step; parameters that it does not train
            stay as they are.
        named: the parameters, by name.
        gradients: one a parameter.
        keep_state: let the optimizer's own state take part in the step, too.
    """
    copies = {parameter: parameter.detach().clone() for parameter in named.values()}
    for (parameter, copy), gradient in zip(copies.items(), gradients, strict=True):
        copy.grad = laid_out_as(parameter, gradient)
    groups = [
        {**group, "params": [copies[p] for p in group["params"] if p in copies]} for group in optimizer.param_groups
    ]
    ahead = type(optimizer)([group for group in groups if group["params"]])  # type: ignore[call-arg]
    trained = {p: copies[p] for group in optimizer.param_groups for p in group["params"] if p in copies}
    for parameter, copy in trained.items():
        if parameter in optimizer.state:
            ahead.state[copy] = _copied(optimizer.state[parameter])
    ahead.step()
    if keep_state:
        optimizer.state.update({parameter: ahead.state[copy] for parameter, copy in trained.items()})
    return {name: copies[parameter] for name, parameter in named.items()}


def _copied(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.clone() if torch.is_tensor(value) else value for name, value in state.items()}
