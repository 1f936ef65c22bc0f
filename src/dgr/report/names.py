"""What the report's text may refer to: names that lead to values, and an error for every other name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dgr.core.errors import DGRError, nearest


class Namespace(dict[str, Any]):
    """Values by name, where an unknown name is an error that says which there are.

    Args:
        path: how the text refers to all of them, such as ``claims.mini``.
        values: by name.
    """

    def __init__(self, path: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._path = path

    def __missing__(self, name: str) -> Any:
        raise DGRError(f"The report names '{self._path}.{name}', which no record has{nearest(name, self)}.")


def named(path: str, value: Any) -> Any:
    """A value as the text may name it: mappings, whatever their depth, refuse unknown names."""
    if isinstance(value, Mapping):
        return Namespace(path, {str(name): named(f"{path}.{name}", part) for name, part in value.items()})
    return value
