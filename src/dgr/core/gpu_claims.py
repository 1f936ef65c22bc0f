"""Several stages on one GPU, and never more than fit: each claims its memory, and waits while there is no room."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

FOLDER = Path(tempfile.gettempdir()) / f"dgr-gpus-{os.getuid()}"
USABLE = 0.92
"""Of a GPU's memory; the rest is for contexts, and for what an allocator holds and nobody uses."""
CONTEXT = 800 * 10**6
"""Bytes that a process holds on a GPU beside its tensors: CUDA's context, and the libraries' kernels and workspaces."""
PAUSE = 2.0
"""Seconds between two looks for room."""


class Gpu(NamedTuple):
    """A GPU that this process can see.

    Attributes:
        name: the same in every process, such as its UUID.
        memory: all that it has, in bytes.
    """

    name: str
    memory: int


class _Claim(NamedTuple):
    gpu: int
    size: int
    file: IO[str]


_own: list[_Claim] = []


def claim(gpus: Sequence[Gpu], needed: int, free: Callable[[int], int], folder: Path = FOLDER) -> int:
    """Claim memory on the GPU with the fewest claims that has room; wait until one has.

    A claim is a locked file and ends with its process, however that ends. What other users and programs take is seen
    as memory that is not free. A GPU without any claim is taken in any case: nobody is there who would make room. A
    process claims once, and keeps its GPU.

    Args:
        gpus: those that are visible, at least one.
        needed: bytes that this process will need, an estimate.
        free: tells how many bytes of a GPU, by its index, are free now.
        folder: where this user's claims are.

    Returns:
        The index of the GPU.
    """
    if _own:
        return _own[0].gpu
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        with _alone(folder):
            held = [_held(folder, gpu.name) for gpu in gpus]
            for index in sorted(range(len(gpus)), key=lambda each: len(held[each])):
                room = USABLE * gpus[index].memory - sum(held[index])
                if not held[index] or (needed <= room and needed <= free(index)):
                    _own.append(_made(folder, gpus[index].name, index, needed))
                    return index
        time.sleep(PAUSE)


def _made(folder: Path, name: str, index: int, size: int) -> _Claim:
    file = (folder / f"{name}.{os.getpid()}").open("w", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX)
    file.write(str(size))
    file.flush()
    return _Claim(index, size, file)  # closing the file would give the lock back


def _held(folder: Path, name: str) -> list[int]:
    """Sizes of the claims on a GPU; those of processes that have ended are removed."""
    sizes = []
    for path in folder.glob(f"{name}.*"):
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                sizes.append(int(file.read()))
            else:
                path.unlink()
    return sizes


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
