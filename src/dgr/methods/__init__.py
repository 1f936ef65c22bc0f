"""Multi-task methods: ways to turn task losses into gradients, by name. Public names are imported on first use."""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "METHODS": "dgr.methods.registry",
    "Batch": "dgr.core.task",
    "Method": "dgr.methods.shared.base",
    "Step": "dgr.methods.shared.base",
    "build_method": "dgr.methods.registry",
    "forward": "dgr.methods.shared.base",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'dgr.methods' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)
