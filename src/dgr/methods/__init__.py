"""Multi-task methods: ways to turn task losses into gradients, by name."""

from dgr.core.task import Batch
from dgr.methods.base import Method, Step
from dgr.methods.registry import METHODS, build_method

__all__ = ["METHODS", "Batch", "Method", "Step", "build_method"]
