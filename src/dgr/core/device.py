"""Where a stage computes, and that it computes the same numbers every time."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch

from dgr.core.errors import DGRError, nearest
from dgr.core.gpu_claims import Gpu, claim
from dgr.core.numerics import portable_square_root
from dgr.core.torch_compiler import leave_compiler_unloaded


def choose_device(device: str, needed: Callable[[], int] = lambda: 0) -> torch.device:
    """Choose the device and make everything on it deterministic, with one thread.

    Args:
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        needed: says how many bytes of a GPU's memory the stage needs; asked only where there is one. The stage waits
            until a GPU has room for it beside this user's other stages, see :func:`dgr.core.gpu_claims.claim`.

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
    portable_square_root()
    leave_compiler_unloaded()
    if device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    found = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    gpus = [Gpu(str(each.uuid), each.total_memory) for each in found]
    return torch.device("cuda", claim(gpus, needed(), lambda index: torch.cuda.mem_get_info(index)[0]))
