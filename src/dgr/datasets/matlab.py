"""Lists in MATLAB files before 7.3, which hold no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from dgr.core.errors import DGRError, reason


def matlab_list(path: Path, name: str) -> NDArray[Any]:
    """A variable, or the first field of a structure, flat; None as an object where there is none.

    Raises:
        DGRError: the file is missing or damaged.
    """
    try:
        values: Any = loadmat(path, simplify_cells=True).get(name)
    except (OSError, ValueError, TypeError, IndexError, NotImplementedError, MatReadError) as error:
        raise DGRError(f"{path} is no readable MATLAB file ({reason(error)}); fetch it again.") from error
    if isinstance(values, dict):
        values = next(iter(values.values()), None)
    return np.ravel(values)
