"""The folder in which a stage's unfinished work survives a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dgr.config.runs import RunConfig
from dgr.core.files import MANIFEST, cannot_write, sha256
from dgr.core.paths import DATA, UNFINISHED
from dgr.core.provenance import code_hash, config_hash


def open_workspace(config: RunConfig, extra: dict[str, Any]) -> Path:
    """Where unfinished work is kept: found again only with the same settings, data and code.

    Args:
        config: the run; its list of seeds may change without losing finished ones.
        extra: what else tells this work from other work on the same run.

    Raises:
        DGRError: the folder cannot be made.
    """
    settings = config.model_dump(mode="json", exclude={"seeds"})
    data = sha256(DATA / config.dataset / MANIFEST)
    name = config_hash({"config": settings, "data": data, "code": code_hash(), **extra})
    folder = UNFINISHED / f"{config.key}-{name[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder
