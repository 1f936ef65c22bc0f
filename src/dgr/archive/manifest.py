"""``archive.json``: what is in an archive, with a hash of each file, and which outputs of which stages it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from dgr.config.parsing import Strict
from dgr.config.sources import Digits

MANIFEST_NAME = "archive.json"
"""The first file of an archive, and the only one whose hash it does not hold."""


class PackedFile(Strict):
    """One file of the archive."""

    sha256: Digits
    size: NonNegativeInt
    """In bytes."""


class PackedOutput(Strict):
    """One output of a stage, a file or a folder of the archive."""

    stage: str
    """As DVC calls it."""
    path: str
    md5: str
    """DVC's hash, as its lock has it."""


class ArchiveManifest(Strict):
    """``archive.json``."""

    format: Literal[1] = 1
    """Of this file."""
    suites: Annotated[list[str], Field(min_length=1)]
    """Those whose outputs are in it."""
    outputs: list[PackedOutput]
    """What ``dgr restore`` puts back; other files are there to be read."""
    files: dict[str, PackedFile]
    """All files but this one, by their name in the archive."""
