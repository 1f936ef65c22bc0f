"""Archives and folders that a source or a stranger's results come in."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import warnings
import zipfile
from pathlib import Path

from archive_support import entry
from drawing import hostile
from hypothesis import strategies as st
from mutations import UNREADABLE, damaged, put_in_place
from watched import answer, fresh_folder

from dgr.archive.restoring import restore
from dgr.config.sources import SourceConfig
from dgr.datasets.fetch import fetch_source

NAMES = [
    "a",
    "b/c",
    "a/b",
    "../evil",
    "/tmp/dgr-evil",
    "C:/evil",
    "a/../../evil",
    "",
    ".",
    "/",
    "a\\b",
    "a\nb",
    "x" * 300,
    "a" + "/a" * 3000,
    "\ud800",
    "a\0b",
    "manifest.json",
    "__MACOSX/x",
    "archive.json",
]
TYPES = [
    tarfile.REGTYPE,
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
    tarfile.GNUTYPE_SPARSE,
    b"D",
    b"x",
    b"g",
    b"L",
    b"K",
]
MODES = [0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR]
SOURCE = SourceConfig(title="x", kind="archive", file="x.tar.gz", instructions="Ask.", max_bytes=2**26)
Member = tuple[str, bytes, bytes, str, int]


def tar(members: list[Member], packed: bool = False) -> bytes:
    """Of members: name, type, content, link's target, and the size that its header says beyond the content."""
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w:gz" if packed else "w", format=tarfile.GNU_FORMAT, errors="surrogateescape"
    ) as archive:
        for name, kind, content, target, more in members:
            try:
                archive.addfile(
                    entry(name, kind, size=max(len(content) + more, 0), linkname=target),
                    io.BytesIO(content + bytes(max(more, 0) % 4096)),
                )
            except (UnicodeEncodeError, OSError, ValueError):  # not every name can be written
                continue
    return stream.getvalue()


def zipped(members: list[tuple[str, bytes, int, int]]) -> bytes:
    """Of members: name, content, mode, compression."""
    stream = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(stream, "w") as archive:  # names twice
        for name, content, mode, packed in members:
            info = zipfile.ZipInfo("x")
            info.filename, info.create_system, info.external_attr, info.compress_type = name, 3, mode << 16, packed
            try:
                archive.writestr(info, content, compresslevel=1)
            except UnicodeEncodeError:
                continue
    return stream.getvalue()


NAME, CONTENT = st.sampled_from(NAMES) | st.text(min_size=1, max_size=6), st.binary(max_size=40)
TARGET = st.sampled_from(["", "/etc/passwd", "..", "a", "../../x"])
MEMBER = st.tuples(NAME, st.sampled_from(TYPES), CONTENT, TARGET, st.sampled_from([0, 0, 0, 1, 2**31, 2**40]))
GOOD_TAR = [("a/x", tarfile.REGTYPE, b"one", "", 0), ("a/y", tarfile.REGTYPE, bytes(600), "", 0)]
GOOD_ZIP = [("a/x", b"one", 0, zipfile.ZIP_STORED), ("a/y", bytes(600), 0, zipfile.ZIP_DEFLATED)]
GOOD = [tar(GOOD_TAR), tar(GOOD_TAR, packed=True), zipped(GOOD_ZIP)]
PACKING = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
DRAWN = (
    st.builds(tar, st.lists(MEMBER, max_size=4), st.booleans())
    | st.builds(zipped, st.lists(st.tuples(NAME, CONTENT, st.sampled_from(MODES), PACKING), max_size=4))
    | damaged(GOOD)
)
BOMBS = [
    b"",
    b"PK\3\4",
    b"\x1f\x8b",
    gzip.compress(bytes(2**28), 1),
    gzip.compress(gzip.compress(bytes(2**24))),
    zipped([("a", bytes(2**27), 0, zipfile.ZIP_DEFLATED)]),
    zipped([(f"{number}", b"", 0, zipfile.ZIP_STORED) for number in range(3)] * 2),
    *(tar([(name, tarfile.REGTYPE, b"evil", "", 0)]) for name in NAMES),
    *(zipped([(name, b"evil", 0, zipfile.ZIP_STORED)]) for name in NAMES),
    *(
        tar([("b", kind, b"", target, 0), ("b/c", tarfile.REGTYPE, b"evil", "", 0)])
        for kind in TYPES
        for target in ("/etc", "..")
    ),
    *(zipped([("b", b"/etc", mode, zipfile.ZIP_STORED)]) for mode in MODES),
    tar([("a", tarfile.REGTYPE, b"", "", 2**40)]),
    tar([("a", b"x", b"99999999999 path=x\n", "", 0)]),
    tar([("a", b"L", b"", "", 2**33)]),
    tar(GOOD_TAR)[:700],
    zipped(GOOD_ZIP)[:-6] + b"\xff\xff" + zipped(GOOD_ZIP)[-4:],  # its files lie before its beginning
]


def try_archive(kind: str, content: bytes | str) -> None:
    with fresh_folder():
        path = Path("x.tar.gz")
        put_in_place(path, content) if isinstance(content, str) else path.write_bytes(content)
        if kind == "source":
            answer("archive: source", lambda: fetch_source("x", SOURCE, Path("sources"), path), "x.tar.gz")
            left = [
                each
                for each in Path("sources").rglob("*")
                if each.is_symlink() or not (each.is_file() or each.is_dir())
            ]
            assert not left, f"neither files nor folders: {left}"
        else:
            answer("archive: results", lambda: restore(path), "x.tar.gz")
            assert not any(Path("unfinished").glob("*"))


@hostile(
    st.tuples(st.sampled_from(["source", "results"]), DRAWN),
    drawn=100,
    seeds=[(kind, each) for kind in ("source", "results") for each in (*BOMBS, *UNREADABLE)],
)
def test_archives_are_used_or_refused_in_a_sentence(case: tuple[str, bytes | str]) -> None:
    try_archive(*case)
