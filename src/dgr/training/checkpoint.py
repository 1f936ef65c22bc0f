"""Checkpoints: everything a run needs to continue exactly, written atomically and read without unpickling code."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch

from dgr.core.errors import DGRError, reason
from dgr.core.files import write_atomically
from dgr.core.torch_files import load_tensors


def save_checkpoint(path: Path, identity: str, state: dict[str, Any]) -> None:
    """Write a checkpoint.

    Args:
        path: where to; an earlier checkpoint there stays until the new one is complete.
        identity: what run and configuration the state belongs to.
        state: tensors and plain values.
    """
    write_atomically(path, lambda file: torch.save({"identity": identity, **state}, file))


def load_checkpoint(path: Path, identity: str, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint of the given identity.

    Raises:
        DGRError: the file is truncated, no checkpoint, or of another run; it is left where it is.
    """
    remedy = "move it away to start that run anew"
    try:
        if path.is_file() and not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("File is not a zip file")
        state: dict[str, Any] = load_tensors(path, device)
    except Exception as error:  # a foreign file makes the restricted unpickler fail in a dozen ways
        told = f"Checkpoint {path} is truncated or not a checkpoint ({reason(error)}); {remedy}."
        raise DGRError(told) from error
    if not isinstance(state, dict) or state.get("identity") != identity:
        found = state.get("identity") if isinstance(state, dict) else None
        raise DGRError(f"Checkpoint {path} belongs to another run ({found!r} instead of {identity!r}); {remedy}.")
    return state
