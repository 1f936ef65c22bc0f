"""A replication of DGR (ECCV 2024): the penalty, the methods around it, and the study.

The public names are imported on first use, so that ``import dgr`` is instant and a pipeline stage depends only on
the modules that it uses.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "DGRError": "dgr.core.errors",
    "DummyGradientNorm": "dgr.regularizers.dummy_gradient_norm",
    "FeatureNormPenalty": "dgr.regularizers.norm_penalty",
    "Method": "dgr.methods.shared.base",
    "MultiTaskModel": "dgr.models.model",
    "Step": "dgr.methods.shared.base",
    "Task": "dgr.core.task",
    "build_method": "dgr.methods.registry",
    "mean_relative_improvement": "dgr.core.improvement",
    "seed_for": "dgr.core.seeds",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'dgr' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
