import bz2
import contextlib
import gzip
import hashlib
import os
import re
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from archive_support import FILES, entry, expected_tree, pack

from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError
from dgr.datasets.archives import MAX_RATIO, SMALL, gather
from dgr.datasets.contents import CHUNK, Writer, difference, tree_hash

SUFFIXES = ("tar", "tar.gz", "zip")


def settings(**changes):
    chosen = {"title": "pictures", "kind": "archive", "file": "pictures.tar.gz", "instructions": "Ask."}
    return SourceConfig.model_validate(chosen | changes)


@pytest.fixture
def take(tmp_path):
    """Gather what is at a path; gives names and contents of what was written, after comparing them with the record."""

    def gathered(path, **changes):
        source = settings(**changes)
        folder, contents = gather(path, source, Writer(tmp_path / "inside" / "new", path.name, source))
        written = {
            file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
        }
        assert {name: (entry.size, entry.sha256) for name, entry in contents.items()} == {
            name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in written.items()
        }
        assert tree_hash(contents) == expected_tree(written)
        return written

    (tmp_path / "inside").mkdir()
    return gathered


@contextlib.contextmanager
def nothing_is_written_outside(tmp_path):
    """Only what is below the folder that unpacking was given may appear."""
    before = set(tmp_path.rglob("*"))
    yield
    inside = tmp_path / "inside"
    assert {path for path in tmp_path.rglob("*") if inside not in path.parents} == before
    assert not any(path.is_symlink() or not (path.is_file() or path.is_dir()) for path in inside.rglob("*"))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("prefix", ["", "./", "pictures/", "./pictures//"])
def test_archives_hold_what_a_folder_holds(take, tmp_path, suffix, prefix):
    assert take(pack(tmp_path / f"pictures.{suffix}", FILES, prefix)) == FILES


@pytest.mark.parametrize("top", ["", "pictures"])
def test_a_folder_is_copied_without_the_one_top_folder(take, tmp_path, top):
    for name, content in FILES.items():
        path = tmp_path / "origin" / top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "origin/empty").mkdir()
    assert take(tmp_path / "origin") == FILES


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_manifest_at_the_top_is_no_content(take, tmp_path, suffix):
    files = {"manifest.json": b"{}", "train/manifest.json": b"[]", "val/a": b"x"}
    assert set(take(pack(tmp_path / f"pictures.{suffix}", files, "pictures/"))) == {"train/manifest.json", "val/a"}


def test_neither_modes_nor_owners_are_restored(take, tmp_path):
    private = {entry("a", size=1, mode=0o6777, uid=12345): b"x", entry("d", tarfile.DIRTYPE, mode=0o000): b""}
    assert take(pack(tmp_path / "pictures.tar", private)) == {"a": b"x"}
    status = (tmp_path / "inside/new/a").stat()
    assert stat.S_IMODE(status.st_mode) & 0o7111 == 0
    assert status.st_uid == os.getuid()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/evil", "C:/evil", "a/../b", "//evil/x"])
def test_names_that_lead_out_are_refused(take, tmp_path, suffix, name):
    path = pack(tmp_path / f"pictures.{suffix}", {"a": b"good", name: b"evil"})
    with nothing_is_written_outside(tmp_path), pytest.raises(DGRError, match=r"holds '.*', which leads out"):
        take(path)


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="Python has it since 3.11.4")
def test_the_library_checks_names_as_well(take, tmp_path, monkeypatch):
    monkeypatch.setattr(Writer, "member", lambda _, name: name)
    path = pack(tmp_path / "pictures.tar", {"../../evil": b"evil"})
    with nothing_is_written_outside(tmp_path), pytest.raises(DGRError, match=r"is damaged .* outside the destination"):
        take(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["a\\b", "a\nb", "a\x1bb"])
def test_names_with_control_characters_and_backslashes_are_refused(take, tmp_path, suffix, name):
    with pytest.raises(DGRError, match="characters that are not allowed"):
        take(pack(tmp_path / f"pictures.{suffix}", {name: b"evil"}))


def test_a_zip_name_that_ends_early_is_refused(take, tmp_path):
    path = pack(tmp_path / "pictures.zip", {"aXb": b"evil"})
    path.write_bytes(path.read_bytes().replace(b"aXb", b"a\0b"))
    with pytest.raises(DGRError, match="characters that are not allowed"):
        take(path)


def test_a_name_that_is_no_text_is_refused(take, tmp_path):
    path = pack(tmp_path / "pictures.tar", {"aXb": b"evil"})
    content = bytearray(path.read_bytes().replace(b"aXb", b"a\xffb"))
    content[148:156] = b"%06o\0 " % (sum(content[:148]) + 8 * ord(" ") + sum(content[156:512]))
    path.write_bytes(content)
    with pytest.raises(DGRError, match="characters that are not allowed"):
        take(path)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"D"]
)
@pytest.mark.parametrize("target", ["/etc", "..", "a"])
def test_links_and_devices_are_refused(take, tmp_path, kind, target):
    members = {entry("a", size=4): b"good", entry("b", kind, linkname=target): b"", entry("b/c", size=4): b"evil"}
    path = pack(tmp_path / "pictures.tar.gz", members)
    with nothing_is_written_outside(tmp_path), pytest.raises(DGRError, match="holds 'b', which is a link or a device"):
        take(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_a_zip_are_refused(take, tmp_path, kind):
    link = zipfile.ZipInfo("b")
    link.create_system, link.external_attr = 3, (kind | 0o777) << 16
    path = pack(tmp_path / "pictures.zip", {"a": b"good", link: b"/etc"})
    with nothing_is_written_outside(tmp_path), pytest.raises(DGRError, match="holds 'b', which is a link or a device"):
        take(path)


def test_links_and_pipes_in_a_folder_are_refused(take, tmp_path):
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "a").write_bytes(b"good")
    for number, make in enumerate(
        [lambda path: path.symlink_to("a"), lambda path: path.symlink_to(tmp_path), lambda path: os.mkfifo(path)]
    ):
        make(origin / "b")
        with pytest.raises(DGRError, match="holds 'b', which is a link or a device"):
            take(origin)
        (origin / "b").unlink()
        (tmp_path / "inside/new").rename(tmp_path / f"inside/{number}")
    assert take(origin) == {"a": b"good"}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("second", ["a", "./a", "a/b", "a/b/c"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_or_as_file_and_folder_is_refused(take, tmp_path, suffix, second):
    path = tmp_path / f"pictures.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", b"one")
            archive.writestr(second, b"two")
    else:
        pack(path, {entry("a", size=3): b"one", entry(second, size=3): b"two"})
    with pytest.raises(DGRError, match=f"holds '{second.removeprefix('./')}' more than once"):
        take(path)


def test_names_that_differ_in_case_are_two_files(take, tmp_path):
    assert take(pack(tmp_path / "pictures.zip", {"a": b"1", "A": b"2"})) == {"a": b"1", "A": b"2"}


@pytest.mark.parametrize("suffix", ["tar.gz", "zip"])
def test_a_bomb_is_stopped_while_it_unpacks(take, tmp_path, suffix):
    path = pack(tmp_path / f"pictures.{suffix}", {"a": bytes(40 * CHUNK)})
    limit = max(MAX_RATIO * path.stat().st_size, SMALL)
    assert limit < 20 * CHUNK
    with pytest.raises(DGRError, match=f"holds more than {limit:,} bytes when unpacked"):
        take(path)
    assert (tmp_path / "inside/new/a").stat().st_size <= limit


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_source_sets_how_much_it_may_unpack_to(take, tmp_path, suffix):
    noise = np.random.default_rng(0).bytes(300_000)
    path = pack(tmp_path / f"pictures.{suffix}", {"a": noise[:150_000], "b": noise[150_000:]})
    with pytest.raises(DGRError, match="holds more than 299,999 bytes when unpacked"):
        take(path, max_bytes=299_999)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_source_may_unpack_to_exactly_its_size(take, tmp_path, suffix):
    content = np.random.default_rng(0).bytes(300_000)
    # A tar archive's headers and end marks count as well.
    room = 0 if suffix == "zip" else 10 * 1024
    assert take(pack(tmp_path / f"pictures.{suffix}", {"a": content}), max_bytes=300_000 + room) == {"a": content}


def test_a_file_with_holes_is_counted_by_what_it_unpacks_to(take, tmp_path):
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a"}
    sparse["GNU.sparse.realsize"] = str(10**12)
    holes = f"1\n{10**12}\n0\n".encode().ljust(512, b"\0")
    path = pack(tmp_path / "pictures.tar", {entry("a", size=512, pax_headers=sparse): holes})
    with pytest.raises(DGRError, match=f"holds more than {MAX_RATIO * path.stat().st_size:,} bytes when unpacked"):
        take(path)


def test_what_stands_behind_the_end_is_counted(take, tmp_path):
    path = pack(tmp_path / "pictures.tar", FILES)
    packed = gzip.compress(path.read_bytes() + bytes(40 * CHUNK))
    (tmp_path / "pictures.tar.gz").write_bytes(packed)
    with pytest.raises(DGRError, match=f"holds more than {MAX_RATIO * len(packed):,} bytes when unpacked"):
        take(tmp_path / "pictures.tar.gz")


def test_too_much_is_not_even_skipped(take, tmp_path, monkeypatch):
    # A file of nothing but a hole, whose packed size is claimed to be a terabyte.
    header = entry("a", b"S", size=10**12).tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "pictures.tar.gz").write_bytes(gzip.compress(header + bytes(1024)))
    seek = gzip.GzipFile.seek

    def seek_near(file, offset, whence=0):
        assert offset <= SMALL
        return seek(file, offset, whence)

    monkeypatch.setattr(gzip.GzipFile, "seek", seek_near)
    with pytest.raises(DGRError, match=f"holds more than {SMALL:,} bytes when unpacked"):
        take(tmp_path / "pictures.tar.gz")


def test_a_header_does_not_fill_the_memory(take, tmp_path):
    path = pack(tmp_path / "pictures.tar.gz", {entry("a", pax_headers={"comment": "x" * 50 * CHUNK}): b""})
    tracemalloc.start()
    with pytest.raises(DGRError, match=r"holds a header of 52,\d\d\d,\d\d\d bytes"):
        take(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * CHUNK


def test_endless_headers_are_damage(take, tmp_path):
    header = entry("x", b"x").tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "pictures.tar").write_bytes(header * 5000 + bytes(1024))
    with pytest.raises(DGRError, match=r"pictures\.tar is damaged"):
        take(tmp_path / "pictures.tar")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_too_many_files_and_folders_are_refused(take, tmp_path, suffix):
    names = {f"{number}/" if suffix == "zip" else entry(str(number), tarfile.DIRTYPE): b"" for number in range(1003)}
    with pytest.raises(DGRError, match="holds more than 1,002 files and folders"):
        take(pack(tmp_path / f"pictures.{suffix}", names), contents={"files": 1})


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("left", [0, 3, 100, 512, 1024, 0.5, 0.9, -1])
def test_a_truncated_archive_is_refused(take, tmp_path, suffix, left):
    noise = np.random.default_rng(0).bytes(5000)
    path = pack(tmp_path / f"pictures.{suffix}", {"a": noise[:2000], "b": noise[2000:]})
    whole = path.read_bytes()
    # What is cut of an uncompressed archive is its padding, unless the end mark is cut as well.
    content_end = len(whole) if suffix != "tar" else 512 + 2048 + 512 + 3072
    path.write_bytes(whole[: int(left * content_end) if isinstance(left, float) else left % content_end])
    with pytest.raises(
        DGRError, match=rf"pictures\.{suffix} is damaged or is no \.tar, \.tar\.gz or \.zip \(.+\); get"
    ):
        take(path)


def test_a_plain_archive_that_ends_between_two_files_is_refused(take, tmp_path):
    path = pack(tmp_path / "pictures.tar", {"a": b"one", "b": b"two"})
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(DGRError, match=r"pictures\.tar is damaged .*without an end mark"):
        take(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_changed_byte_is_noticed_where_the_archive_has_a_checksum(take, tmp_path, suffix):
    path = pack(tmp_path / f"pictures.{suffix}", {"a": b"x" * 300, "b": b"y" * 300})
    content = bytearray(path.read_bytes())
    # The second header of the plain archive; elsewhere the packed content.
    place = 1024 + 150 if suffix == "tar" else content.index(b"a") + 2 if suffix == "zip" else len(content) - 6
    content[place] ^= 0x11
    path.write_bytes(content)
    with pytest.raises(DGRError, match=rf"pictures\.{suffix} is damaged"):
        take(path)


@pytest.mark.parametrize(
    "content",
    [b"<html>no archive</html>", bz2.compress(b"x" * 2000), gzip.compress(b"x" * 2000, mtime=0)],
    ids=["html", "bz2", "gzip"],
)
def test_what_is_no_archive_is_refused(take, tmp_path, content):
    (tmp_path / "pictures.tar.gz").write_bytes(content)
    with pytest.raises(DGRError, match=r"pictures\.tar\.gz is damaged or is no \.tar"):
        take(tmp_path / "pictures.tar.gz")


def test_encrypted_and_unusually_packed_files_are_refused(take, tmp_path):
    path = pack(tmp_path / "pictures.zip", {"a": b"secret"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DGRError, match=r"is damaged or is no .* encrypted"):
        take(path)
    (tmp_path / "inside/new").rmdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"good")
    with pytest.raises(DGRError, match="'a' is compressed in an unusual way"):
        take(path)


def test_an_unreadable_file_is_named(take, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DGRError, match=r"Cannot read .*/folder: Is a directory"):
        take(tmp_path / "folder", kind="file")


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="Linux gives a file that cannot be read at its beginning"
)
@pytest.mark.parametrize("kind", ["archive", "file"])
def test_a_fault_in_reading_is_none_of_writing(take, kind):
    """As of a disk with a bad block."""
    with pytest.raises(DGRError, match=r"Cannot read /proc/self/mem: Input/output error; make it readable"):
        take(Path("/proc/self/mem"), kind=kind)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"files": 3, "patterns": {"train/*.npy": 2, "*.npy": 3}}, None),
        ({"files": 5}, r"it holds 3 files instead of 5 \(2 missing\)"),
        (
            {"files": 1, "patterns": {"train/a*": 1}},
            r"it holds 3 files instead of 1 \(2 too many\); the first that is not expected is 'train/b c.npy'",
        ),
        (
            {"patterns": {"train/*.npy": 2, "val/*.png": 1}, "tree": "0" * 64},
            r"like 'val/\*.png' it holds 0 files instead of 1 \(1 missing\); the first .* is 'val/ä.npy'",
        ),
        ({"tree": "0" * 64}, f"its tree hash is {expected_tree(FILES)}, but 0000.* is expected"),
        ({"files": 3, "tree": expected_tree(FILES)}, None),
    ],
)
def test_the_difference_says_how_many_and_which(tmp_path, expected, message):
    source = settings(contents=expected)
    path = pack(tmp_path / "pictures.zip", FILES)
    _, contents = gather(path, source, Writer(tmp_path / "new", path.name, source))
    found = difference(contents, source)
    assert (found is None) == (message is None)
    assert message is None or re.fullmatch(message, found)
