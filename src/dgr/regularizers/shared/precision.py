"""In which precision the penalty is computed: never under autocast, and differences of losses without TF32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch


def without_autocast(device: str) -> AbstractContextManager[Any]:
    """Autocast is off inside; whether products use TF32 stays as it is.

    That is right for exact derivatives: their error under TF32 is that of the loss's own gradient.
    """
    return torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()


@contextmanager
def full_precision(device: str) -> Iterator[None]:
    """Autocast is off, and on CUDA also TF32, whose products keep 10 bits of 23; both are restored afterwards.

    For the difference of two nearly equal losses.
    """
    with without_autocast(device):
        if device != "cuda":
            yield
            return
        kernels, switch, full = _tf32()
        before = [getattr(kernel, switch) for kernel in kernels]
        try:
            for kernel in kernels:
                setattr(kernel, switch, full)
            yield
        finally:
            for kernel, setting in zip(kernels, before, strict=True):
                setattr(kernel, switch, setting)


def _tf32() -> tuple[tuple[Any, Any], str, Any]:
    """Products and convolutions, what decides there about TF32, and its value for full float32."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    if hasattr(matmul, "fp32_precision"):
        return (matmul, cudnn.conv), "fp32_precision", "ieee"  # type: ignore[attr-defined]
    return (matmul, cudnn), "allow_tf32", False  # before torch 2.9
