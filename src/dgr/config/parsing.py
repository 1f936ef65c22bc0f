"""Reading YAML strictly: the base of every configuration block, and one sentence for what is wrong."""

from __future__ import annotations

import re
import reprlib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from dgr.config.plain_yaml import PlainLoader
from dgr.core.errors import DGRError, nearest, reason
from dgr.core.files import plain_text


class Strict(BaseModel):
    """A configuration block in which an unknown key is an error that names the nearest valid one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

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
        if first["type"] == "union_tag_not_found":
            message = f"the key {first['ctx']['discriminator']} is missing; it should say which of its kinds this is"
        told = first["type"] in ("value_error", "missing", "union_tag_not_found")
        given = "" if told else f" (given: {reprlib.repr(first['input'])})"
        raise DGRError(f"{where}{': ' + place if place else ''}: {message}{given}.") from error
    except UnicodeEncodeError as error:
        raise DGRError(f"{where}: it holds half a character ({error.object[error.start]!r}); write it out.") from error


def read_yaml(path: Path) -> Any:
    """Parse a YAML file.

    Raises:
        DGRError: the file is missing or is not YAML.
    """
    try:
        return yaml.load(plain_text(path), PlainLoader)
    except FileNotFoundError as error:
        raise DGRError(f"{path} is missing; run from the repository's top folder.") from error
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise DGRError(f"{path} is not readable YAML: {_told(error)}; correct it.") from error


def _told(error: Exception) -> str:
    """What is wrong, and the line; the parser's own words also quote the file."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{error.context or ''} {error.problem} in line {error.problem_mark.line + 1}"
    return "it has too many blocks within each other" if isinstance(error, RecursionError) else reason(error)
