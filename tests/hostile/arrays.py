"""Arrays that are none: headers of ``.npy`` files that say what they like of themselves."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np


def npy(
    header: str | bytes, content: bytes = b"", version: tuple[int, int] = (1, 0), length: int | None = None
) -> bytes:
    """A file with any header."""
    text = header.encode() if isinstance(header, str) else header
    size = len(text) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", size) + text + content


def told(descr: Any = "<f4", shape: Any = (2,), order: Any = False) -> str:
    """A header."""
    return repr({"descr": descr, "fortran_order": order, "shape": shape}) + "\n"


def good(values: Any = None) -> bytes:
    """A plain array."""
    stream = io.BytesIO()
    np.save(stream, np.zeros((3, 8, 8), np.float32) if values is None else values, allow_pickle=False)
    return stream.getvalue()


class Canary:
    """Leaves a file behind where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("unpickled"),)


PICKLED = pickle.dumps(Canary())
OBJECTS = io.BytesIO()
np.save(OBJECTS, np.array([Canary()], object), allow_pickle=True)
SHAPES: list[Any] = [
    (-1,),
    (-1, -1),
    (True,),
    (False, True),
    (2.0,),
    ("2",),
    (None,),
    2,
    [2],
    None,
    (2**62, 8),
    (2**40,),
    (0,),
    (),
    (10**30,),
]
TYPES: list[Any] = [
    "|O",
    "<f16",
    "<c16",
    "|S5",
    "<U5",
    "<M8[s]",
    "|V8",
    "<f2",
    ">i8",
    "?",
    "x",
    "",
    None,
    3,
    [("a", "<f4")],
    [("a", "|O")],
    "<U999999999",
]
BOMBS = [
    *(npy(told(shape=shape), bytes(8)) for shape in SHAPES),
    *(npy(told(kind), bytes(32)) for kind in TYPES),
    npy("{b'descr': '<f4', b'fortran_order': False, b'shape': (2,)}\n", bytes(8)),
    npy(told(order=2), bytes(8)),
    npy("{'descr': '<f4'}\n"),
    npy("{" * 5000),
    npy("(" * 100_000, version=(2, 0)),
    npy("9" * 60_000),
    npy("__import__('pathlib').Path('unpickled').touch()\n"),
    npy("\0" * 100),
    npy(b"\xff\xfe"),
    npy(told(), version=(9, 9)),
    npy(told(), version=(3, 0), length=2**32 - 1),
    npy(told(), length=65_535),
    OBJECTS.getvalue(),
    PICKLED,
    b"",
    b"\x93NUMPY",
    good()[:-1],
    good(np.array([np.nan, np.inf], np.float32)),
    good(np.array(["a", ""])),
]


def npz(members: dict[str, bytes], packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of arrays."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packed) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()
