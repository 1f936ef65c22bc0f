"""Full float32 for what half precision cannot hold: the difference of two nearly equal losses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch


@contextmanager
def full_precision(device: str) -> Iterator[None]:
    """Switches autocast off, and on CUDA also TF32, whose products keep 10 bits of 23; restores both afterwards."""
    with torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext():
        if device != "cuda":
            yield
            return
        kernels = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
        before = [kernel.fp32_precision for kernel in kernels]
        try:
            for kernel in kernels:
                kernel.fp32_precision = "ieee"
            yield
        finally:
            for kernel, precision in zip(kernels, before, strict=True):
                kernel.fp32_precision = precision
