"""The same bits on every x86-64 processor: what numeric libraries are told before they are loaded.

Each of them chooses its kernels by the processor it meets, and other kernels round otherwise: after an epoch no digit
of a loss is left. Here all of them are held to kernels that every processor since about 2015 has, on one thread.
:func:`portable_square_root` mends the one thing that no variable does.
"""

from __future__ import annotations

import os
import platform
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from dgr.core.errors import DGRError

if TYPE_CHECKING:
    import torch

HARMLESS = {
    # Sums come out differently with another number of threads; parallelism comes from the engine.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Figures need no display, and no other back end than the one that draws them everywhere.
    "MPLBACKEND": "agg",
}
"""Set on every machine."""
KERNELS = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # The only value that MKL heeds on processors of every maker.
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Haswell",
    # All that numpy 2.4 has beyond its baseline; a machine that lacks them takes the names too.
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
}
"""Set where they hold: on Linux on x86-64 with AVX2 and FMA."""
READERS = ("numpy", "torch", "scipy", "sklearn")
"""Packages that read them when they are first loaded."""


def make_portable() -> None:
    """Set the variables of this process and of those it starts.

    On other machines only the harmless ones are set: numbers are then that machine's own, as :func:`numerics` says.

    Raises:
        DGRError: a library that reads them was loaded before they were set.
    """
    wanted = HARMLESS | (KERNELS if _has_kernels() else {})
    if not _are_set(wanted):
        if early := [name for name in READERS if name in sys.modules]:
            raise DGRError(
                f"{early[0]} was loaded before this process was told to compute the same numbers on every machine; "
                "run the command as `python -m dgr …` in a process of its own."
            )
        os.environ.update(wanted)


def numerics(device: str = "cpu") -> str:
    """Whether the numbers of this process are the same on other machines, in words for a record.

    Args:
        device: type of the device that computes, such as ``"cuda"``.

    Returns:
        ``"portable x86-64"``; otherwise ``"native"`` with what the numbers belong to, such as ``"native (cuda)"``.
    """
    if device != "cpu":
        return f"native ({device})"
    if _has_kernels() and _are_set(HARMLESS | KERNELS):
        return "portable x86-64"
    return f"native ({sys.platform} {platform.machine()})"


def portable_square_root() -> None:
    """Let torch take square roots on the CPU exactly, as IEEE 754 has them, from now on in this process.

    Torch takes them from MKL's vector library, which starts from the processor's approximate reciprocal root: that
    differs between makers. Adam, norms and solvers of other packages all come here. Does nothing where numbers are the
    machine's own anyway; a second call does nothing either.
    """
    if _installed or numerics() != "portable x86-64":
        return
    import numpy as np
    import torch

    def root(x: torch.Tensor) -> torch.Tensor:
        if x.dtype not in (torch.float32, torch.float64):
            return x.rsqrt().reciprocal()  # half precision, complex numbers, integers: not through MKL
        with np.errstate(invalid="ignore"):
            return torch.from_numpy(np.asarray(np.sqrt(x.detach().numpy())))

    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*Overriding a previously registered kernel", UserWarning)
        for operator, kernel in (
            ("sqrt", root),
            ("sqrt_", lambda x: x.copy_(root(x))),
            ("sqrt.out", lambda x, *, out: out.copy_(root(x))),
        ):
            library.impl(operator, kernel, "CPU")  # type: ignore[no-untyped-call]
    _installed.append(library)  # kernels go with their library


_installed: list[torch.library.Library] = []


def _are_set(wanted: dict[str, str]) -> bool:
    return all(os.environ.get(name) == value for name, value in wanted.items())


def _has_kernels() -> bool:
    """Whether this machine can run what :data:`KERNELS` name: torch takes our word for it."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\nflags")[2].partition("\n")[0].split()
    except OSError:
        return False
    return {"avx2", "fma"} <= set(flags)
