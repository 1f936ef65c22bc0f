"""Who made a result first: commit, machine, versions, time; kept apart from results, which are the same everywhere."""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgr.core.numerics import numerics
from dgr.core.provenance import VERSIONED, gpu_numerics

if TYPE_CHECKING:
    import torch

# What decides a run's outcome; results and lock files that a reproduction rewrites do not make a checkout dirty.
DECIDING = ("src", "paper_configs", "requirements.lock", "requirements.hashes", "pyproject.toml")


def origin(device: torch.device, wall_seconds: float) -> dict[str, Any]:
    """What this process can say of where and when it computes.

    Args:
        device: where it computes.
        wall_seconds: how long it took, also across a resumption.

    Returns:
        JSON values; ``peak_memory_mb`` is the process's resident maximum, plus CUDA's own on a GPU, in 10⁶ bytes.
    """
    import torch

    return {
        **_commit(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in VERSIONED},
        "device": device_name(device),
        "numerics": numerics(device.type) if device.type == "cpu" else f"native ({gpu_numerics()})",
        "threads": torch.get_num_threads(),
        "wall_seconds": round(wall_seconds, 3),
        "peak_memory_mb": round(peak_memory(device) / 1e6, 1),
    }


def committed(path: Path, root: Path = Path()) -> str | None:
    """A file's text in the last commit; None where it has none, or without git.

    Args:
        path: relative to ``root``.
        root: a folder of the repository.
    """
    return _git("-C", str(root), "show", f"HEAD:./{path.as_posix()}")


def first_origin(path: Path, made: dict[str, Any]) -> dict[str, Any]:
    """What the last commit says of who made a result, where it is the same result; otherwise ``made``.

    So a reproduction that gives the same bits changes nothing.

    Args:
        path: the JSON file, relative to the working directory.
        made: of this process; ``result`` is the hash of what it made.
    """
    try:
        earlier = json.loads(committed(path) or "{}")
    except ValueError:
        return made
    return earlier if isinstance(earlier, dict) and earlier.get("result") == made["result"] else made


def hardware(device: torch.device) -> str:
    """What a result depends on: ``cpu``, whose numbers are the same on every processor, or the GPU's name."""
    return "cpu" if device.type == "cpu" else device_name(device)


def peak_memory(device: torch.device) -> int:
    """Peak memory of this process so far, in bytes: resident, plus what CUDA allocated."""
    import torch

    # ru_maxrss counts kibibytes on Linux and bytes on macOS.
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return resident + (torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0)


@cache
def device_name(device: torch.device) -> str:
    """The processor's or GPU's own name."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"cpu ({model})"


@cache
def _commit() -> dict[str, Any]:
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--", *DECIDING)
    return {"commit": commit and commit.strip(), "dirty": None if changes is None else bool(changes.strip())}


def _git(*arguments: str) -> str | None:
    try:
        return subprocess.run(("git", *arguments), capture_output=True, encoding="utf-8", check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
