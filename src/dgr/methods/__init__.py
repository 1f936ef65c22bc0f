"""Multi-task methods: ways to turn task losses into gradients, by name."""

from dgr.core.task import Batch
from dgr.methods.registry import METHODS, build_method
from dgr.methods.shared.base import Method, Step

__all__ = ["METHODS", "Batch", "Method", "Step", "build_method"]
