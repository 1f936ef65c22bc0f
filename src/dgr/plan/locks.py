"""Reading what DVC is told of a suite's stages, and what it recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dgr.core.errors import DGRError, reason

LOCK_NAME = "dvc.lock"


def described_stages(path: Path) -> dict[str, Any]:
    """The stages of a ``dvc.yaml``.

    Raises:
        DGRError: it is missing or damaged.
    """
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8"))["stages"])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, RecursionError) as error:
        raise DGRError(
            f"{path} cannot be read ({reason(error)}); get it back with `git checkout {path}`, or with "
            "`python -m dgr plan` where it is a suite's copy."
        ) from error


def lock_stages(path: Path) -> dict[str, Any]:
    """The stages of a ``dvc.lock``.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is none of DVC's; says why in one line.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        stages = yaml.load(path.read_text(encoding="utf-8"), loader)["stages"]
    except FileNotFoundError:
        raise
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(" ".join(str(error).split())) from error  # YAML's own has several lines
    if not isinstance(stages, dict):
        raise ValueError("its stages have no names")
    for name, stage in stages.items():
        blocks = [stage.get(part, []) for part in ("deps", "outs")] if isinstance(stage, dict) else [None]
        if not all(isinstance(block, list) and all(isinstance(each, dict) for each in block) for block in blocks):
            raise ValueError(f"what it says of '{name!s:.60}' is no stage")
    return stages
