"""Where a stage computes, and that it computes the same numbers every time."""

from __future__ import annotations

import os

import torch

from dgr.core.errors import DGRError, nearest


def choose_device(device: str) -> torch.device:
    """Choose the device and make everything on it deterministic, with one thread.

    Args:
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises:
        DGRError: another word, or no GPU where one was asked for.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise DGRError(f"Unknown device '{device}'{nearest(device, ('auto', 'cpu', 'cuda'))}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise DGRError("Device 'cuda' was asked for, but torch finds no GPU; use --device cpu or auto.")
    # cuBLAS needs this to be deterministic, and reads it when it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Sums come out differently with another number of threads; parallelism comes from the engine.
    torch.set_num_threads(1)
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
