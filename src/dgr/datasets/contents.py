"""What a folder of files holds: recorded while it is written, put in one hash, compared with what is expected."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path, PureWindowsPath
from typing import NamedTuple, Protocol

from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.files import MANIFEST, read_manifest

CHUNK = 2**20
LONGEST_PART, LONGEST_NAME = 255, 1000
"""Bytes between two ``/``, as file systems allow, and characters of a name."""
MAX_FILES = 200_000
"""Where the number of files is not known beforehand."""


class Entry(NamedTuple):
    """Size in bytes and hexadecimal SHA-256 of a file's content."""

    size: int
    sha256: str


Contents = dict[str, Entry]
"""Files by name relative to the folder, with ``/`` between its parts."""


def tree_hash(contents: Contents) -> str:
    r"""SHA-256 over the sorted lines ``name \0 size \0 sha256 \n`` (no spaces), one a file, in UTF-8.

    Sizes in decimal and hashes in lower-case hexadecimal digits; lines are sorted by their bytes. Empty folders,
    dates, owners and permissions do not count.
    """
    lines = sorted(f"{name}\0{size}\0{digest}\n".encode() for name, (size, digest) in contents.items())
    return hashlib.sha256(b"".join(lines)).hexdigest()


def difference(contents: Contents, source: SourceConfig) -> str | None:
    """How the contents differ from what is expected, as a part of a sentence; None where they do not.

    Numbers of files come first, with a name that shows where to look; hashes only where these are right.
    """
    if not contents:
        return "it holds no file"
    expected = source.contents
    wrong = [] if expected.files is None else [_count("it holds", len(contents), expected.files)]
    for pattern, number in expected.patterns.items():
        found = sum(fnmatchcase(name, pattern) for name in contents)
        wrong.append(_count(f"like '{pattern}' it holds", found, number))
    if any(wrong):
        return "; ".join(filter(None, [*wrong, _clue(contents, expected.patterns)]))
    if source.kind == "file" and (file := contents[source.file].sha256) and not file.startswith(source.sha256 or ""):
        return f"its SHA-256 is {file}, but {source.sha256} is expected"
    if expected.tree not in (None, tree := tree_hash(contents)):
        return f"its tree hash is {tree}, but {expected.tree} is expected"
    return None


def whole_contents(folder: Path, source: SourceConfig) -> Contents | None:
    """The contents of a fetched folder; None if a file was damaged, lost or added, or others are expected."""
    try:
        digests = read_manifest(folder, "fetch it again")["files"]
    except DGRError:
        return None
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    del paths[MANIFEST]
    if paths.keys() != digests.keys() or (source.kind == "file" and paths.keys() != {source.file}):
        return None
    contents = {name: Entry(path.stat().st_size, digests[name]) for name, path in paths.items()}
    return None if difference(contents, source) else contents


class Reader(Protocol):
    """What files are read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class Writer:
    """Writes files below an empty folder, counting and hashing what it writes.

    Attributes:
        contents: what has been written.
        kept: the name that a member is written under, or None where it is passed over; all are kept unless told.
    """

    def __init__(self, folder: Path, origin: str, source: SourceConfig) -> None:
        self.folder = folder
        self.origin = origin
        self.contents: Contents = {}
        self.kept: Callable[[str], str | None] = str
        self.max_bytes = source.max_bytes
        # Up to twice as many files as expected, so that it can be said how many are too many; and some folders.
        self._max_members = 2 * source.contents.files + 1000 if source.contents.files else MAX_FILES
        self._members = 0
        self._bytes = 0

    def member(self, name: str) -> str | None:
        """Count a file or folder that is kept, and give the name it is written under; None if it is passed over.

        Raises:
            DGRError: there are too many, or the name leads out of the folder or is not printable text.
        """
        parts = name.split("/")
        if PureWindowsPath(name).anchor or ".." in parts:
            raise self.refusal(f"{name!r}, which leads out of its folder")
        if re.search(r"[\x00-\x1f\x7f\\\ud800-\udfff]", name):
            raise self.refusal(f"{name!r}, a name with characters that are not allowed")
        if not name or max(map(len, map(str.encode, parts))) > LONGEST_PART or len(name) > LONGEST_NAME:
            raise self.refusal(f"'{name:.50}', a name that is empty or too long")
        kept = self.kept("/".join(part for part in parts if part not in ("", ".")))
        self._members += kept is not None
        if self._members > self._max_members:
            raise self.refusal(f"more than {self._max_members:,} files and folders")
        return kept

    def write(self, name: str, stream: Reader) -> None:
        """Write one file under a name that :meth:`member` gave.

        Raises:
            DGRError: the name is there already, or all files together are too large.
            OSError: the disk is full or cannot be written.
        """
        path = self.folder / name
        digest, size = hashlib.sha256(), 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        except (FileExistsError, NotADirectoryError) as error:
            raise self.refusal(f"{name!r} more than once") from error
        with file:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                self.check_bytes(self._bytes + size)
                digest.update(chunk)
                file.write(chunk)
        self._bytes += size
        self.contents[name] = Entry(size, digest.hexdigest())

    def check_bytes(self, size: int) -> None:
        """Refuse more bytes than allowed."""
        if size > self.max_bytes:
            raise self.refusal(f"more than {self.max_bytes:,} bytes when unpacked")

    def refusal(self, what: str) -> DGRError:
        """The sentence for something that a well-meant source does not hold."""
        return DGRError(f"{self.origin} holds {what}; it is not used, get it from its publisher.")


def _count(holds: str, found: int, expected: int) -> str:
    if found == expected:
        return ""
    change = f"{expected - found:,} missing" if found < expected else f"{found - expected:,} too many"
    return f"{holds} {found:,} files instead of {expected:,} ({change})"


def _clue(contents: Contents, patterns: dict[str, int]) -> str:
    foreign = [name for name in sorted(contents) if not any(fnmatchcase(name, pattern) for pattern in patterns)]
    return f"the first that is not expected is '{foreign[0]}'" if patterns and foreign else ""
