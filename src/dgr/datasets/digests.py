"""Which file of a source changed: the first digits of each file's hash, ``paper_configs/digests.yaml``.

Sixteen bits a file find one that changed by accident or by its publisher; that none changed on purpose is what the tree
hash in ``sources.yaml`` says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from dgr.config.parsing import parse, read_yaml
from dgr.config.sources import PlainName
from dgr.datasets.contents import Contents

WIDTH = 4
"""Hexadecimal digits of each file."""

Digests = dict[str, Annotated[str, Field(pattern=r"^([0-9a-f]{4})+$")]]
"""By folder (``.`` for the top), the first digits of the SHA-256 of its files, in the order of their names."""


class DigestsFile(RootModel[dict[PlainName, Digests]]):
    """``paper_configs/digests.yaml``."""


def read_digests(configs: Path) -> Mapping[str, Digests]:
    """All digests by the name of the source.

    Raises:
        DGRError: the file is missing or wrong.
    """
    path = configs / "digests.yaml"
    return parse(DigestsFile, read_yaml(path), str(path)).root


def digests_of(contents: Contents) -> Digests:
    """The digests of these contents."""
    return {folder: "".join(contents[name].sha256[:WIDTH] for name in names) for folder, names in _by_folder(contents)}


def changed_files(contents: Contents, digests: Digests) -> list[str]:
    """Names of files with another content than these digests say; none where folders hold another number of files."""
    changed = []
    for folder, names in _by_folder(contents):
        expected = digests.get(folder, "")
        if len(expected) != WIDTH * len(names):
            return []
        starts = range(0, len(expected), WIDTH)
        known = [expected[start : start + WIDTH] for start in starts]
        changed += [name for name, digest in zip(names, known, strict=True) if contents[name].sha256[:WIDTH] != digest]
    return changed


def _by_folder(contents: Contents) -> list[tuple[str, list[str]]]:
    folders = defaultdict(list)
    for name in sorted(contents):
        folders[name.rpartition("/")[0] or "."].append(name)
    return sorted(folders.items())
