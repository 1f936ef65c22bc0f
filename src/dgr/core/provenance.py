"""What a result depends on, and what it is, in hashes: code, configuration, versions; the same on every machine."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dgr.core.files import sha256

PACKAGE = Path(__file__).parents[1]
VERSIONED = ("torch", "torchjd", "numpy")
COMMAND_LINE = ("cli.py", "__main__.py", "plan")


def config_hash(config: Any) -> str:
    """Hexadecimal SHA-256 of a configuration's canonical JSON."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def code_hash() -> str:
    """Hexadecimal SHA-256 of the whole package's code."""
    sources = sorted(PACKAGE.rglob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def loaded_code() -> dict[str, str]:
    """SHA-256 of each of the package's files that this process has imported, by its path in the package.

    Without the command line and the engines' part, which pass names on and decide no number.
    """
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == PACKAGE.name]
    files = sorted({Path(module.__file__).relative_to(PACKAGE) for module in modules if module.__file__})
    return {str(file): sha256(PACKAGE / file) for file in files if file.parts[0] not in COMMAND_LINE}


def is_current(code: dict[str, str]) -> bool:
    """Whether files are still what :func:`loaded_code` once found."""
    return all((PACKAGE / file).is_file() and sha256(PACKAGE / file) == digest for file, digest in code.items())


def versions() -> dict[str, str]:
    """Of what a run's numbers depend on beside this package, without the build of one version for a CPU or a GPU."""
    return {name: version(name).partition("+")[0] for name in VERSIONED}


def gpu_numerics() -> str:
    """What the numbers of a GPU depend on beside its name and torch: CUDA, cuDNN, and how precise products are.

    Such as ``cuda 12.8, cudnn 91002, deterministic, convolutions tf32, products ieee``: torch's words for the precision
    of each, ``ieee`` being all of float32; ``benchmark`` where cuDNN chooses its algorithms by time.
    """
    import torch

    cudnn: Any = torch.backends.cudnn
    words = [f"cuda {torch.version.cuda}", f"cudnn {_cudnn_version()}"]
    words += ["deterministic"] * torch.are_deterministic_algorithms_enabled() + ["benchmark"] * cudnn.benchmark
    # Torch's older words for the same cannot be asked for once these were set, as the penalty sets them for a moment.
    for name, setting in (("convolutions", cudnn.conv), ("products", torch.backends.cuda.matmul)):
        words.append(f"{name} {setting.fp32_precision}".replace("none", "ieee"))
    return ", ".join(words)


def _cudnn_version() -> Any:
    import torch

    cudnn: Any = torch.backends.cudnn
    return cudnn.version()


def result_hash(files: dict[str, str]) -> str:
    """Of a run's numbers: a hash of the hashes of its files, by name."""
    return config_hash(files)
