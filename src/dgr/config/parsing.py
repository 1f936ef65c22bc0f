"""Reading YAML strictly: the base of every configuration block, and one sentence for what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from dgr.core.errors import DGRError, nearest


class Strict(BaseModel):
    """A configuration block in which an unknown key is an error that names the nearest valid one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    raise ValueError(f"unknown key '{key}'{nearest(str(key), cls.model_fields)}")
        return data


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], data: Any, where: str) -> Model:
    """Validate data.

    Raises:
        DGRError: one sentence with the place and the first thing that is wrong.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        # Where several types are allowed, pydantic adds which of them it tried.
        place = ".".join(str(part) for part in first["loc"] if not re.match(r"constrained-|\w+\[", str(part)))
        message = first["msg"].removeprefix("Value error, ")
        given = "" if first["type"] in ("value_error", "missing") else f" (given: {first['input']!r})"
        raise DGRError(f"{where}{': ' + place if place else ''}: {message}{given}.") from error


def read_yaml(path: Path) -> Any:
    """Parse a YAML file.

    Raises:
        DGRError: the file is missing or is not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DGRError(f"{path} is missing; run from the repository's top folder.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DGRError(f"{path} is not readable YAML: {' '.join(str(error).split())}.") from error
