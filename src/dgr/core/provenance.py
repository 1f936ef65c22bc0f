"""Where a run comes from: code, configuration, versions, machine, cost."""

from __future__ import annotations

import hashlib
import json
import platform
import resource
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from dgr.core.files import sha256

PACKAGE = Path(__file__).parents[1]
COMMAND_LINE = ("cli.py", "__main__.py")
# What decides a run's outcome; results and lock files that a reproduction rewrites do not make a checkout dirty.
DECIDING = ("src", "paper_configs", "requirements.lock", "pyproject.toml")


def config_hash(config: Any) -> str:
    """Hexadecimal SHA-256 of a configuration's canonical JSON."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def code_hash() -> str:
    """Hexadecimal SHA-256 of the whole package's code."""
    sources = sorted(PACKAGE.rglob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def loaded_code() -> dict[str, str]:
    """SHA-256 of each of the package's files that this process has imported, by its path in the package.

    Without the command line, which passes names on and decides no number.
    """
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == PACKAGE.name]
    files = sorted({Path(module.__file__) for module in modules if module.__file__})
    return {str(file.relative_to(PACKAGE)): sha256(file) for file in files if file.name not in COMMAND_LINE}


def is_current(code: dict[str, str]) -> bool:
    """Whether files are still what :func:`loaded_code` once found."""
    return all((PACKAGE / file).is_file() and sha256(PACKAGE / file) == digest for file, digest in code.items())


def provenance(config: dict[str, Any], device: torch.device, wall_seconds: float) -> dict[str, Any]:
    """The record of one run.

    Args:
        config: the run's whole configuration.
        device: where it was trained.
        wall_seconds: time from first to last epoch, also across a resumption.

    Returns:
        JSON values; ``peak_memory_mb`` is the process's resident maximum, plus CUDA's own on a GPU, in 10⁶ bytes.
    """
    return {
        **_commit(),
        "config_hash": config_hash(config),
        "config": config,
        "versions": versions(),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "wall_seconds": round(wall_seconds, 3),
        "peak_memory_mb": round(peak_memory(device) / 1e6, 1),
        "command": "python -m dgr " + " ".join(sys.argv[1:]),
    }


def versions() -> dict[str, str]:
    """Of what a run's numbers depend on beside this package."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("torch", "torchjd", "numpy")}}


def peak_memory(device: torch.device) -> int:
    """Peak memory of this process so far, in bytes: resident, plus what CUDA allocated."""
    # ru_maxrss counts kibibytes on Linux and bytes on macOS.
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return resident + (torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0)


@cache
def device_name(device: torch.device) -> str:
    """The processor's or GPU's own name."""
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
    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(("git", *arguments), capture_output=True, encoding="utf-8", check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    changes = git("status", "--porcelain", "--", *DECIDING)
    return {"commit": git("rev-parse", "HEAD"), "dirty": None if changes is None else bool(changes)}
