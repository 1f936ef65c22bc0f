"""What arrays are called in signatures, and reading archives of them that may say anything of themselves."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dgr.core.errors import DGRError, nearest

FloatArray = NDArray[np.float64]
MOST_UNPACKED = 2**24
"""Bytes that any archive of arrays may unpack to, however small it is."""
MOST_TIMES = 200
"""Unpacked to packed bytes of a larger one."""


def read_npz(path: Path, names: list[str] | None = None) -> dict[str, NDArray[Any]]:
    """Arrays of an ``.npz`` file by name; nothing is unpickled, and no memory taken for what is not there.

    Args:
        path: the file.
        names: of the arrays; all of them unless told.

    Raises:
        DGRError: the file has no array of a name.
        Exception: it is damaged or no such file; numpy and zipfile raise a dozen kinds.
    """
    if not path.is_file():  # opening a pipe would wait for ever
        raise ValueError("there is no plain file")
    with zipfile.ZipFile(path) as archive:
        known = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        wanted = list(known) if names is None else names
        for name in wanted:
            if name not in known:
                raise DGRError(f"{path} has no array '{name}'{nearest(name, known)}")
        if sum(known[name].file_size for name in wanted) > max(MOST_TIMES * path.stat().st_size, MOST_UNPACKED):
            raise ValueError(f"it unpacks to more than {MOST_TIMES} times its size")
        return {name: _read_member(archive, known[name]) for name in wanted}


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as stream:
        long = np.lib.format.read_magic(stream) > (1, 0)
        read_header = np.lib.format.read_array_header_2_0 if long else np.lib.format.read_array_header_1_0
        shape, _, dtype = read_header(stream)
        if dtype.hasobject:
            raise ValueError(f"{info.filename} holds Python objects")
        # Before memory is taken for what a header promises.
        if math.prod(shape) * dtype.itemsize != info.file_size - stream.tell():
            raise ValueError(f"{info.filename} does not hold what its header says")
    with archive.open(info) as stream:
        values: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return values
