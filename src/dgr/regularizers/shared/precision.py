"""Full float32 for what half precision cannot hold: the difference of two nearly equal losses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch


@contextmanager
def full_precision(device: str) -> Iterator[None]:
    """Switches autocast off, and on CUDA also TF32, whose products keep 10 bits of 23; restores both afterwards."""
    with torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext():
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
