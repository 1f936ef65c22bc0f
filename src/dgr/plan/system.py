"""Whether the study can run on this system and in this folder: asked before anything could end without a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS

ADDRESS_SPACE = 15 * 10**8
"""Bytes with which the tiny suite ends: with a third of it torch ends the process, without an error that could be told,
and with two thirds a stage's memory ends."""

FREE = 10**6
"""Bytes of disk without which nothing can be recorded; a data set or a training that needs more says so itself."""


def check_supported() -> None:
    """The study locks files, and its stages are told to end by signals; the penalty needs neither.

    Raises:
        DGRError: this system has no such locks, as Windows has none.
    """
    try:
        import fcntl  # noqa: F401
    except ModuleNotFoundError as error:
        raise DGRError(
            "The study runs on Linux and macOS, and this system is neither: on Windows use WSL; "
            "`from dgr import DummyGradientNorm` works everywhere."
        ) from error


def check_address_space() -> None:
    """Torch is loaded by almost every command.

    Raises:
        DGRError: a limit is too low for it.
    """
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if 0 <= limit < ADDRESS_SPACE:
        raise DGRError(
            f"This process may have {limit / 1e6:.0f} MB of address space, and needs {ADDRESS_SPACE / 1e6:,.0f} MB; "
            "lift the limit with `ulimit -v unlimited`, or ask a cluster for more memory."
        )


def check_folder() -> None:
    """Every path counts from the top of a checkout.

    Raises:
        DGRError: this is another folder; where it lies in a checkout, the sentence says where the top is.
    """
    if CONFIGS.is_dir():
        return
    top = next((folder for folder in Path.cwd().parents if (folder / CONFIGS).is_dir()), None)
    way = f"`cd {top}` first" if top else "start them from a checkout's top folder"
    raise DGRError(f"commands need a checkout of the repository, and there is no {CONFIGS} in {Path.cwd()}; {way}.")


def check_disk() -> None:
    """Where a disk is full every stage would begin, compute, and fail; this one question saves all of them.

    Raises:
        DGRError: there is no room at all.
    """
    free = shutil.disk_usage(Path()).free
    if free < FREE:
        raise DGRError(f"Only {free / 1e3:.0f} kB are free on the disk of {Path.cwd()}; make room and run again.")
