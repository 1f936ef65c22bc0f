"""The schema of ``paper_configs/publishers.yaml``: on what terms sources come, and at which commits their files lie.

What a source must hold stands in ``sources.yaml``; an address that moves changes no content, and makes nothing stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from dgr.config.parsing import Strict, parse, read_yaml
from dgr.config.sources import Digits, PlainName
from dgr.datasets.contents import Contents, tree_hash

RAW = "https://raw.githubusercontent.com/{repository}/{commit}/{file}"
ARCHIVE = "https://codeload.github.com/{repository}/tar.gz/{commit}"

NonEmpty = Annotated[str, Field(min_length=1)]


class Part(Strict):
    """Files of a public GitHub repository at one commit."""

    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    """``OWNER/NAME``."""
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$")]
    """Its hexadecimal digits, or the first of them (at least 7)."""
    folder: str = ""
    """Of the repository; names count from there."""
    files: Annotated[list[NonEmpty], Field(min_length=1)]
    """Names, each downloaded by itself; or, where one has ``*``, ``?`` or ``[``, patterns of what is kept of the whole
    commit's archive."""

    @property
    def is_archive(self) -> bool:
        """Whether the whole commit is downloaded."""
        return any(set("*?[") & set(name) for name in self.files)

    @property
    def addresses(self) -> list[str]:
        """What is downloaded: the commit's archive, or each file."""
        if self.is_archive:
            return [ARCHIVE.format(repository=self.repository, commit=self.commit)]
        names = [f"{self.folder}/{name}".lstrip("/") for name in self.files]
        return [RAW.format(repository=self.repository, commit=self.commit, file=name) for name in names]

    def kept(self, member: str) -> str | None:
        """The name in the source of a member of the commit's archive, whose top folder GitHub adds; None for others."""
        name = member.partition("/")[2]
        if self.folder:
            if not name.startswith(f"{self.folder}/"):
                return None
            name = name.removeprefix(f"{self.folder}/")
        return name if any(fnmatchcase(name, pattern) for pattern in self.files) else None


class KnownVariant(Strict):
    """Another thing under the same name, which is refused by its own name. All that is told must hold."""

    name: NonEmpty
    """Goes on "it is …"."""
    tree: Digits | None = None
    """Its tree hash."""
    like: NonEmpty | None = None
    """A pattern that at least one of its files fits."""
    unlike: NonEmpty | None = None
    """A pattern that none of its files fits."""

    def is_it(self, contents: Contents) -> bool:
        """Whether these are its contents."""
        return (
            (self.tree is None or tree_hash(contents) == self.tree)
            and (self.like is None or any(fnmatchcase(name, self.like) for name in contents))
            and (self.unlike is None or not any(fnmatchcase(name, self.unlike) for name in contents))
        )


class Publisher(Strict):
    """What is known of one source beside its contents."""

    licence: NonEmpty
    """Licence and terms, told before anything is fetched."""
    parts: list[Part] = []
    """Together its files; fetched where no mirror and no address of ``sources.yaml`` gives it."""
    variants: list[KnownVariant] = []
    """Copies of another content that are known to go about."""
    larger: PlainName | None = None
    """The source of the same pictures in more pixels: it is taken where this one cannot be had, and that is said."""


class PublishersFile(RootModel[dict[PlainName, Publisher]]):
    """``paper_configs/publishers.yaml``."""


def read_publishers(configs: Path) -> Mapping[str, Publisher]:
    """All publishers by the name of the source.

    Raises:
        DGRError: the file is missing or wrong.
    """
    path = configs / "publishers.yaml"
    return parse(PublishersFile, read_yaml(path), str(path)).root
