"""Random weights for dummy heads, from a stream of their own."""

from __future__ import annotations

import copy
import ctypes
import hashlib
import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

SETTLING = 15
"""Power iterations of a spectral norm after its weight is drawn, as many as torch makes for a new one."""
Init = Callable[[nn.Module], None]


def stream_of(*words: object) -> int:
    """A number that starts a random stream, by a hash of what the words say."""
    return int.from_bytes(hashlib.sha256(repr(("dgr dummies", *words)).encode()).digest()[:8], "big") >> 1


def stream_of_heads(heads: Iterable[nn.Module]) -> int:
    """The same from the heads' weights, which are others in every head."""
    digest = hashlib.sha256()
    for head in heads:
        for parameter in head.parameters():
            numbers = parameter.detach().cpu().contiguous()
            digest.update(ctypes.string_at(numbers.data_ptr(), numbers.nbytes))  # torch may be there without numpy
    return stream_of(digest.hexdigest())


@torch.no_grad()
def draw(dummy: nn.Module, stream: int, init: Init | None = None) -> None:
    """Give a dummy fresh weights, on every device the same; the global generators are left as they were.

    Every module's ``reset_parameters`` is called (``_reset_parameters`` in torch's attention). A parameter that this
    does not reach is drawn from U(−1/√f, 1/√f) as torch draws a linear layer, where f is the number of entries by row,
    leading dimensions of size 1 left aside; one with a single dimension, such as a scale, keeps the head's value.
    ``init`` has the last word: it is applied to every module as by ``nn.Module.apply``.
    """
    twin = _on_cpu(dummy)
    state = torch.default_generator.get_state()
    try:
        torch.default_generator.manual_seed(stream)  # torch.manual_seed would reseed the accelerators' too
        for module in twin.modules():
            if next(module.parameters(recurse=False), None) is not None:
                reset = getattr(module, "reset_parameters", getattr(module, "_reset_parameters", None))
                if callable(reset):
                    reset()
                for parameter in module.parameters(recurse=False):
                    _by_fan(parameter)
        if init is not None:
            twin.apply(init)
    finally:
        torch.default_generator.set_state(state)
    for own, drawn in zip(dummy.parameters(), twin.parameters(), strict=True):
        if not drawn.isnan().any():
            own.copy_(drawn)
        elif any(True for _ in twin.buffers()):
            drawn.copy_(own)
    _settle(twin)
    for buffer, settled in zip(dummy.buffers(), twin.buffers(), strict=True):
        buffer.copy_(settled)


def _on_cpu(dummy: nn.Module) -> nn.Module:
    """A copy whose parameters are NaN, so that it shows which of them a reset has reached."""
    memo: dict[int, Tensor] = {}
    for parameter in dummy.parameters():
        empty = torch.full(parameter.shape, math.nan, dtype=parameter.dtype)
        memo[id(parameter)] = nn.Parameter(empty, requires_grad=False)
    for buffer in dummy.buffers():
        memo[id(buffer)] = buffer.detach().cpu().clone()
    return copy.deepcopy(dummy, memo)


def _by_fan(parameter: Tensor) -> None:
    """Draw a parameter that is still NaN, where its shape says how large its entries should be."""
    shape = list(parameter.shape)
    while shape and shape[0] == 1:
        shape.pop(0)
    if len(shape) > 1 and parameter.isnan().any():
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        parameter.uniform_(-bound, bound)


def _settle(dummy: nn.Module) -> None:
    """Let spectral norms find the norm of the weights just drawn; a penalty's call then leaves them as they are."""
    for module in dummy.modules():
        if isinstance(module, parametrize.ParametrizationList) and next(module.buffers(), None) is not None:
            module.train()
            for _ in range(SETTLING):
                module()
            module.eval()
        for hook in module._forward_pre_hooks.values():
            if type(hook).__name__ == "SpectralNorm":  # of the older torch.nn.utils.spectral_norm
                module.train()
                for _ in range(SETTLING):
                    hook(module, ())
                module.eval()
