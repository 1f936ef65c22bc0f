"""Unpacking archives and copying folders that nobody vouches for: plain files, below the folder, not too much.

Sizes are counted while reading and never taken from a header. Owners, permissions and dates are not restored.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.core.files import MANIFEST
from dgr.datasets.contents import CHUNK, Contents, Writer
from dgr.datasets.publishers import Part

MAX_RATIO = 200
"""Unpacked to packed bytes; real images and arrays stay far below."""
SMALL = 2**20
"""What any archive may unpack to, however small it is, since padding alone may exceed the ratio."""
LEFT_BY_FILE_MANAGERS = {".DS_Store", "__MACOSX", "Thumbs.db", "desktop.ini"}
FILTER = getattr(tarfile, "data_filter", lambda member, _: member)
"""Python has it since 3.11.4; names, types and sizes are checked here in any case."""
DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError),
    *(ValueError, OverflowError, RuntimeError),  # what the readers raise on forged headers, and for encrypted files
)


def gather(path: Path, source: SourceConfig, writer: Writer) -> tuple[Path, Contents]:
    """Write a source's files from a file, an archive or a folder.

    Returns:
        The folder they lie in and its contents: below the writer's folder where one top folder holds all files, as
        archives often have; without ``manifest.json`` at the top, which a copy of a fetched folder has, and without
        what file managers leave.

    Raises:
        DGRError: the place is damaged, cannot be read, or holds what no well-meant one holds.
        OSError: the disk is full or cannot be written.
    """
    writer.folder.mkdir()
    writer.kept = _without_leavings
    if source.kind == "file":
        _copy_file(path, source.file, writer)
    elif path.is_dir():
        _copy_folder(path, writer)
    else:
        unpack(path, writer)
    folder, contents = writer.folder, writer.contents
    tops = {name.partition("/")[0] for name in contents}
    if len(tops) == 1 and all("/" in name for name in contents):
        (top,) = tops
        folder, contents = folder / top, {name.partition("/")[2]: entry for name, entry in contents.items()}
    if contents.pop(MANIFEST, None):
        (folder / MANIFEST).unlink()
    return folder, contents


def gather_parts(parts: Sequence[Part], paths: Sequence[Path], writer: Writer) -> tuple[Path, Contents]:
    """Write a source's files from files and archives of commits.

    Args:
        parts: what is kept.
        paths: where the addresses of the parts were downloaded to, in their order.
        writer: of the source's folder.

    Returns:
        The folder and its contents.

    Raises:
        DGRError: an archive is damaged, or a kept file is what no well-meant archive holds.
        OSError: the disk is full or cannot be written.
    """
    writer.folder.mkdir()
    brought = iter(paths)
    for part in parts:
        if part.is_archive:
            writer.kept = part.kept
            unpack(next(brought), writer)
        else:
            writer.kept = str
            for name in part.files:
                _copy_file(next(brought), name, writer)
    return writer.folder, writer.contents


def _without_leavings(name: str) -> str | None:
    parts = name.split("/")
    return None if LEFT_BY_FILE_MANAGERS & set(parts) or parts[-1].startswith("._") else name


def unpack(path: Path, writer: Writer) -> None:
    """Write the files of a ``.tar``, ``.tar.gz`` or ``.zip`` archive, told by its first bytes.

    Raises:
        DGRError: the archive is damaged, cannot be read, or holds what no well-meant archive holds: names that lead
            out of the folder, links, devices, a name twice, too many files or too many bytes.
        OSError: the disk is full or cannot be written.
    """
    packed = path.stat().st_size
    writer.max_bytes = min(writer.max_bytes, max(MAX_RATIO * packed, SMALL))
    try:
        with _opened(path) as file:
            start = file.read(4)
            file.seek(0)
            if start[:2] == b"PK":
                _unpack_zip(file, writer)
            elif start[:2] == b"\x1f\x8b":
                with gzip.open(file) as plain:
                    _unpack_tar(plain, writer)
            else:
                _unpack_tar(file, writer)
    except DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise DGRError(
            f"{writer.origin} is damaged or is no .tar, .tar.gz or .zip ({reason}); get it again."
        ) from error


def _copy_folder(origin: Path, writer: Writer) -> None:
    """Write the files of a folder.

    Raises:
        DGRError: it holds links, devices or too much, or a part of it cannot be read.
        OSError: the disk is full or cannot be written.
    """
    for parent, folders, files in os.walk(origin, onerror=_raise_cannot_read):
        for name in sorted(folders + files):
            path = Path(parent, name)
            relative = path.relative_to(origin).as_posix()
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise writer.refusal(f"{relative!r}, which is a link or a device")
            if path.is_file():
                _copy_file(path, relative, writer)


def _copy_file(path: Path, name: str, writer: Writer) -> None:
    """Write one file under a name; raises as :meth:`Writer.write`, and DGRError where it cannot be read."""
    with _opened(path) as file:
        kept = writer.member(name)
        if kept is not None:
            writer.write(kept, file)


def _opened(path: Path) -> io.BufferedReader:
    try:
        return io.BufferedReader(_Packed(path))
    except OSError as error:
        raise _cannot_read(path, error) from error


def _cannot_read(path: object, error: OSError) -> DGRError:
    return DGRError(f"Cannot read {path}: {error.strerror}; make it readable and run again.")


def _raise_cannot_read(error: OSError) -> None:
    raise _cannot_read(error.filename, error) from error


def _unpack_zip(file: IO[bytes], writer: Writer) -> None:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            name = writer.member(info.orig_filename)  # the other name ends where a zero byte stands
            if name is None:
                continue
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise writer.refusal(f"{name!r}, which is a link or a device")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise zipfile.BadZipFile(f"{name!r} is compressed in an unusual way")
            if not info.is_dir():
                with archive.open(info) as stream:
                    writer.write(name, stream)


def _unpack_tar(plain: io.BufferedIOBase, writer: Writer) -> None:
    counted = _Counted(plain, writer)
    with tarfile.open(fileobj=counted, mode="r:") as archive:
        for member in archive:
            name = writer.member(member.name)
            if name is None:
                continue
            if not (member.isreg() or member.isdir()):
                raise writer.refusal(f"{name!r}, which is a link or a device")
            # The library's own check, behind the one on the name.
            stream = archive.extractfile(FILTER(member, str(writer.folder)))
            if stream is not None:
                writer.write(name, stream)
    # The library takes a header that it cannot read for the end, and does not look at the checksum behind the end.
    if counted.last != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it ends without an end mark")
    while counted.read(CHUNK):
        pass


class _Packed(io.FileIO):
    """A file's bytes; what fails in reading them is no fault of the place that is written to."""

    def readinto(self, buffer: Any, /) -> int | None:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise _cannot_read(self.name, error) from error

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except OSError as error:  # before the file's beginning
            raise ValueError("a header names a place outside of it") from error


class _Counted(io.RawIOBase):
    """An unpacked stream that refuses to yield too much, also between the files.

    Headers are read in one piece whatever size they claim, so a large piece is refused before it fills the memory.
    """

    def __init__(self, plain: io.BufferedIOBase, writer: Writer) -> None:
        self._plain = plain
        self._writer = writer
        self.last = b""

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= 2 * CHUNK:
            raise self._writer.refusal(f"a header of {size:,} bytes")
        self.last = self._plain.read(size)
        self._writer.check_bytes(self._plain.tell())
        return self.last

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._writer.check_bytes(offset)
        return self._plain.seek(offset, whence)

    def tell(self) -> int:
        return self._plain.tell()
