"""Work that need not be done again: unfinished, after a kill, and finished, when a run's list of seeds changes."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from dgr.core.errors import DGRError
from dgr.core.files import MANIFEST, cannot_write, read_manifest, sha256, write_json, write_manifest
from dgr.core.origin import origin
from dgr.core.paths import DATA, MADE, UNFINISHED
from dgr.core.provenance import code_hash, config_hash, is_current, loaded_code, result_hash, versions
from dgr.training.configuration import RunConfig

if TYPE_CHECKING:
    from dgr.training.run import Run


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


def write_origin(run: Run, folder: Path) -> None:
    """Write who trained a seed, where and when: ``runs/shared/origins/SUITE/KEY/seed-N.json``, no stage's output.

    Args:
        run: the finished run.
        folder: its sealed records.
    """
    seconds = run.progress.epoch_seconds
    manifest = read_manifest(folder, "train it again")
    made = {"result": result_hash(manifest["files"] | manifest["trained"]), **origin(run.device, sum(seconds))}
    made["median_epoch_seconds"] = round(median(seconds), 4)
    write_json(MADE / run.config.suite / run.config.key / f"{folder.name}.json", made)


def is_finished(folder: Path, identity: str) -> bool:
    """Whether a seed was finished with the same settings, data and code, and its folder is whole."""
    try:
        manifest = read_manifest(folder, "train it again")
    except DGRError:
        return False
    return manifest.get("identity") == identity and is_current(manifest.get("code", {"": ""}))
