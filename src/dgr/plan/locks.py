"""Reading what DVC recorded of a suite's stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

LOCK_NAME = "dvc.lock"


def lock_stages(path: Path) -> dict[str, Any]:
    """The stages of a ``dvc.lock``.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is none of DVC's; says why in one line.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return dict(yaml.load(path.read_text(encoding="utf-8"), loader)["stages"])
    except FileNotFoundError:
        raise
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(" ".join(str(error).split())) from error  # YAML's own has several lines
