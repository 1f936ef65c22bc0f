"""A replication of DGR (ECCV 2024): the penalty, the methods around it, and the study.

The public names are those of ``__init__.pyi``. Each is imported on first use, so that ``import dgr`` is instant and
nobody pays for what they do not use.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

_HOME = {
    alias.name: node.module
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("dgr")
    if name not in _HOME:
        raise AttributeError(f"module 'dgr' has no attribute '{name}'")
    from dgr.core.extras import needed

    with needed(f"dgr.{name}"):
        return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
