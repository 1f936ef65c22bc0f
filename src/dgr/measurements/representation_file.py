"""Reading the representations that a run left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dgr.config.runs import SPLITS
from dgr.core.arrays import read_npz
from dgr.core.errors import DGRError, reason


def load_representation(path: Path, remedy: str) -> dict[str, NDArray[np.float32]]:
    """Read a run's representations, float32 of shape ``(samples, …)``: by split, and by ``split@epoch`` for snapshots.

    Raises:
        DGRError: the file is missing, damaged or not what a run writes.
    """
    try:
        found = read_npz(path)
        arrays: dict[str, NDArray[Any]] = {name: found[name] for name in (*SPLITS, *set(found) - set(SPLITS))}
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a damaged archive
        raise DGRError(f"Representation {path} is missing or damaged ({reason(error)}); {remedy}.") from error
    for split, array in arrays.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise DGRError(f"Representation {path}, split '{split}', is not finite float32; {remedy}.")
    return arrays
