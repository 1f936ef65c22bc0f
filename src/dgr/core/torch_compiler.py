"""Torch's compiler stays unloaded: nothing here is compiled, and loading it costs each process more than a second."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import torch

NAME = "torch._dynamo"


class _Unloaded(ModuleType):
    """Stands for the compiler until somebody wants more of it than optimizers do, who call these two at each step."""

    def disable(self, function: Any = None, *_: Any, **__: Any) -> Any:
        """Without a compiler, a function that is not to be compiled is the function."""
        return function

    def graph_break(self, *_: Any, **__: Any) -> None:
        """Without a graph there is nothing to break."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(NAME) is self:
            del sys.modules[NAME]
        module = importlib.import_module(NAME)
        torch._dynamo = module
        return getattr(module, name)


def leave_compiler_unloaded() -> None:
    """Keep torch's optimizers from loading its compiler; whoever uses it, as ``torch.compile`` does, still gets it."""
    if NAME not in sys.modules:
        sys.modules[NAME] = torch._dynamo = _Unloaded(NAME)
