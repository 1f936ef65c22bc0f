"""Blocks that name the file that reads them."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator

from dgr.config.parsing import Strict
from dgr.core.errors import DGRError, nearest
from dgr.core.registry import Registry


class Named(Strict):
    """A block whose ``name`` is that of a file in a folder of such files, whose ``Config`` reads it."""

    name: str
    """Which of the blocks of that heading it is, as the file that reads it is called."""


def read_by_name(entries: Registry) -> BeforeValidator:
    """For a field's annotation: the block is read by the ``Config`` of the entry that it names."""

    def read(data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if "name" not in data:
            raise ValueError(f"the {entries.what} has no name{nearest('', entries)}")
        try:
            entries.check(str(data["name"]))
            config: type[Named] = entries[data["name"]].Config
        except DGRError as error:
            raise ValueError(str(error).removesuffix(".")) from error
        return config.model_validate(data)

    return BeforeValidator(read)
