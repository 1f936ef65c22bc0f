"""Multi-task methods: ways to turn task losses into gradients, by name."""

from dgr.methods.base import Batch, Method, Step
from dgr.methods.registry import METHODS, build_method

__all__ = ["METHODS", "Batch", "Method", "Step", "build_method"]
