"""Where a stage computes, and that it computes the same numbers every time."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import torch

from dgr.core.errors import DGRError, nearest
from dgr.core.numerics import portable_square_root
from dgr.core.torch_compiler import leave_compiler_unloaded

LOCKS = Path(tempfile.gettempdir()) / f"dgr-gpus-{os.getuid()}"
_held: list[IO[str]] = []


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
    portable_square_root()
    leave_compiler_unloaded()
    if device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    visible = [str(torch.cuda.get_device_properties(index).uuid) for index in range(torch.cuda.device_count())]
    return torch.device("cuda", free_gpu(visible))


def free_gpu(names: Sequence[str], folder: Path = LOCKS) -> int:
    """The first of the visible GPUs that no other stage of this user holds; it is held until this process ends.

    So several trainings started at once spread over several GPUs. Where all are held, the first is shared.

    Args:
        names: of the visible GPUs, by their index; the same GPU has the same name in every process.
        folder: where the locks are.

    Returns:
        The index.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        file = (folder / name).open("w", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
        else:
            _held.append(file)  # closing the file would give the lock back
            return index
    return 0
