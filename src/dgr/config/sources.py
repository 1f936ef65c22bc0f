"""The schema of ``paper_configs/sources.yaml``: where the things come from that cannot be made or shipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, PositiveInt, RootModel

from dgr.config.parsing import Strict, parse, read_yaml
from dgr.core.errors import DGRError, nearest

MIRROR = "DGR_DATA_MIRROR"
"""Names, in the environment, a folder or the address of one that is looked in before the published addresses."""

Digits = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PlainName = Annotated[str, Field(pattern=r"^\w[\w.-]*$")]


class ContentsConfig(Strict):
    """What the folder of a source must hold; what is left out is not checked."""

    files: PositiveInt | None = None
    """How many files in all."""
    patterns: dict[str, PositiveInt] = {}
    """How many files fit each pattern of relative names, such as ``train/*.npy``; ``*`` also crosses folders."""
    tree: Digits | None = None
    """The tree hash, :func:`dgr.datasets.contents.tree_hash`."""


class SourceConfig(Strict):
    """One source: a single file, or a folder of files that may come packed in an archive."""

    title: Annotated[str, Field(min_length=1)]
    """As messages show it."""
    kind: Literal["archive", "file"]
    """``archive``: a folder, also packed; ``file``: a single file, such as weights."""
    file: PlainName
    """Name of the file or of the archive, as published."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] | None = None
    """Of that file: all 64 hexadecimal digits, or the first of them (at least 8) where no more are published."""
    urls: list[Annotated[str, Field(pattern=r"^https?://[^/]+/")]] = []
    """Tried in this order; empty where it may not be fetched without asking its publisher."""
    max_bytes: PositiveInt = 2**36
    """What it may grow to when unpacked; 64 GiB unless told."""
    contents: ContentsConfig = ContentsConfig()
    """What is checked after unpacking."""
    instructions: Annotated[str, Field(min_length=1)]
    """Sentences on how a person gets it and on what terms, shown where no address gives it."""


class SourcesFile(RootModel[dict[PlainName, SourceConfig]]):
    """``paper_configs/sources.yaml``."""


def read_sources(configs: Path) -> dict[str, SourceConfig]:
    """All sources by name.

    Raises:
        DGRError: the file is missing or wrong.
    """
    path = configs / "sources.yaml"
    return parse(SourcesFile, read_yaml(path), str(path)).root


def read_source(configs: Path, name: str) -> SourceConfig:
    """One source.

    Raises:
        DGRError: there is none of that name, or the file is wrong.
    """
    known = read_sources(configs)
    if name not in known:
        raise DGRError(f"Unknown source '{name}'{nearest(name, known)}.")
    return known[name]


def places(name: str, source: SourceConfig, origin: str | Path | None) -> Iterator[str]:
    """Paths and addresses where a source may be, the best first.

    ``origin`` alone if it is given; else what ``DGR_DATA_MIRROR`` names, as ``SOURCE/FILE``, ``FILE`` or, in a local
    folder, an unpacked folder ``SOURCE``; else the published addresses.
    """
    if origin is not None:
        yield str(origin)
        return
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    if mirror:
        yield f"{mirror}/{name}/{source.file}"
        # Another source's file may have the same name: only with a hash can they be told apart.
        if source.sha256 or source.contents.tree:
            yield f"{mirror}/{source.file}"
        if source.kind == "archive" and not is_remote(mirror):
            yield f"{mirror}/{name}"
    yield from source.urls


def is_remote(place: str) -> bool:
    """Whether a place is an address rather than a path."""
    return place.startswith(("http://", "https://"))


def shown(place: str) -> str:
    """An address without the password or key that it may carry; a path as it is."""
    parts = urlsplit(place)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if is_remote(place) else place
