"""Work that need not be done again: unfinished, after a kill, and finished, when a run's list of seeds changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dgr.core.errors import DGRError
from dgr.core.files import MANIFEST, cannot_write, read_manifest, sha256, write_manifest
from dgr.core.paths import DATA, UNFINISHED
from dgr.core.provenance import code_hash, config_hash, is_current, loaded_code, versions
from dgr.training.configuration import RunConfig


def identity_of(config: RunConfig, extra: dict[str, Any]) -> str:
    """A hash of all that decides the outcome of work on a run, apart from code and seed.

    Args:
        config: the run; its list of seeds does not count.
        extra: what else tells this work from other work on the same run.
    """
    settings = config.model_dump(mode="json", exclude={"seeds"})
    data = sha256(DATA / config.dataset / MANIFEST)
    return config_hash({"config": settings, "data": data, "versions": versions(), **extra})


def open_workspace(config: RunConfig, extra: dict[str, Any]) -> Path:
    """Where unfinished work is kept: found again only with the same settings, data and code.

    Args:
        config: the run; its list of seeds may change without losing finished ones.
        extra: what else tells this work from other work on the same run.

    Raises:
        DGRError: the folder cannot be made.
    """
    name = config_hash({"identity": identity_of(config, extra), "code": code_hash()})
    folder = UNFINISHED / f"{config.key}-{name[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def seal(folder: Path, identity: str, trained: dict[str, str]) -> None:
    """Write a finished seed's manifest: the hash of each of its files, :func:`identity_of` the work, and the code.

    Args:
        folder: of the seed's records.
        identity: of the work.
        trained: the hashes of its large files, which lie elsewhere.
    """
    write_manifest(folder, identity=identity, code=loaded_code(), trained=trained)


def is_finished(folder: Path, identity: str) -> bool:
    """Whether a seed was finished with the same settings, data and code, and its folder is whole."""
    try:
        manifest = read_manifest(folder, "train it again")
    except DGRError:
        return False
    return manifest.get("identity") == identity and is_current(manifest.get("code", {"": ""}))
