"""All methods by name: a file of this folder is a method, and the file's name is the method's.

A method's file assigns ``LABEL``, the field's short name for it in reports, and defines one public class that derives
from :class:`~dgr.methods.shared.base.Method`. It imports what methods are made of from :mod:`dgr.methods.shared` and no
other method, so that a run depends on its own method's file alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from typing_extensions import override

from dgr.core.errors import DGRError, nearest
from dgr.core.registry import Registry
from dgr.methods.shared.base import Method
from dgr.methods.shared.options import positive_integer


class _Methods(Mapping[str, type[Method]]):
    """The class of each method; a method's file is imported when its class is asked for, and no other."""

    def __init__(self) -> None:
        self.modules = Registry("dgr.methods", "method")

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    @override
    def __len__(self) -> int:
        return len(self.modules)

    @override
    def __contains__(self, name: object) -> bool:
        return name in self.modules

    @override
    def __getitem__(self, name: str) -> type[Method]:
        """The one class that the method's file defines.

        Raises:
            DGRError: there is no such method, its file is no method's, or an extra that it needs is not installed.
        """
        self.modules.declared(name, "LABEL")  # reports will ask for it, which is late to hear that it is missing
        module = self.modules[name]
        own = [
            member
            for key, member in vars(module).items()
            if inspect.isclass(member)
            and issubclass(member, Method)
            and member.__module__ == module.__name__
            and not key.startswith("_")
        ]
        if len(own) != 1:
            found = " and ".join(member.__name__ for member in own) or "none"
            raise DGRError(
                f"{self.modules.file(name)} must define one public class that derives from Method, but defines {found}."
            )
        return own[0]


METHODS: Mapping[str, type[Method]] = _Methods()


def build_method(name: str, num_tasks: int, **options: Any) -> Method:
    """A fresh method.

    Args:
        name: a key of :data:`METHODS`.
        num_tasks: number K of tasks.
        options: the keyword arguments of the method's class.

    Raises:
        DGRError: the name, an option or a value is not valid, or an extra that the method needs is not installed.
    """
    method = METHODS[name]
    known = list(inspect.signature(method).parameters)[1:]
    for option in options:
        if option not in known:
            raise DGRError(f"Method '{name}' has no option '{option}'{nearest(option, known)}.")
    return method(positive_integer(name, "num_tasks", num_tasks), **options)
