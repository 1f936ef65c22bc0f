import errno
import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from archive_support import FILES, expected_tree, pack
from http_server_support import serve

from dgr.config.sources import SourceConfig, SourcesFile, places, read_source, read_sources
from dgr.core.errors import DGRError
from dgr.core.files import read_manifest
from dgr.datasets import fetch as fetching
from dgr.datasets.downloads import STEP
from dgr.datasets.fetch import fetch_source
from dgr.datasets.publishers import read_publishers

ROOT = Path(__file__).parents[2]
NOISE = np.random.default_rng(0).bytes(5 * STEP + 1000)
PICTURES = {**FILES, "val/noise.npy": NOISE}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def no_mirror_and_no_proxy(monkeypatch):
    monkeypatch.delenv("DGR_DATA_MIRROR", raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
def server():
    with serve() as running:
        yield running


@pytest.fixture
def archive(tmp_path):
    """The published archive."""
    return pack(tmp_path / "pictures.tar.gz", PICTURES, "pictures/")


@pytest.fixture
def settings(archive):
    """A source of that archive, with every check."""

    def make(**changes):
        chosen = {
            "title": "set of pictures",
            "kind": "archive",
            "file": "pictures.tar.gz",
            "sha256": sha256(archive.read_bytes()),
            "contents": {"files": 4, "patterns": {"*.npy": 4}, "tree": expected_tree(PICTURES)},
            "instructions": "Ask the painter.\n",
        }
        return SourceConfig.model_validate(chosen | changes)

    return make


@pytest.fixture
def root(tmp_path):
    return tmp_path / "sources"


def parts(root):
    return sorted((root / ".downloads").iterdir()) if (root / ".downloads").exists() else []


def assert_whole(root, files=PICTURES, name="pictures"):
    """The folder holds these files and a true manifest, and nothing unfinished lies around."""
    folder = root / name
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    manifest = json.loads(found.pop("manifest.json"))
    assert found == files
    assert manifest["files"] == {file: sha256(content) for file, content in files.items()}
    assert (manifest["source"], manifest["tree"]) == (name, expected_tree(files))
    assert not parts(root)
    assert {path.name for path in root.iterdir()} <= {name, ".downloads"}


def assert_nothing(root):
    assert not root.exists() or {path.name for path in root.iterdir()} <= {".downloads"}


def assert_refused(root, source, message, origin=None, name="pictures"):
    with pytest.raises(DGRError, match=message) as raised:
        fetch_source(name, source, root, origin)
    assert_nothing(root)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_download_is_unpacked_and_verified(server, archive, settings, root):
    server.files["pictures.tar.gz"] = archive.read_bytes()
    url = f"{server.address}/pictures.tar.gz"
    source = settings(urls=[url])
    assert fetch_source("pictures", source, root) == (root / "pictures", 4, expected_tree(PICTURES), url, source)
    assert_whole(root)
    assert read_manifest(root / "pictures", "")["config"] == source.model_dump(mode="json")
    assert [request.range for request in server.requests] == [None]


def test_a_stopped_download_is_continued_where_it_stopped(server, archive, settings, root):
    content = archive.read_bytes()
    server.files["pictures.tar.gz"] = content
    source = settings(urls=[f"{server.address}/pictures.tar.gz"])
    server.stop_after = 3 * STEP + 10
    assert_refused(root, source, rf"pictures\.tar\.gz stopped after {3 * STEP:,} bytes, run again to go on")
    (part,) = parts(root)
    assert part.read_bytes() == content[: 3 * STEP]
    server.stop_after = None
    fetch_source("pictures", source, root)
    assert_whole(root)
    last = server.requests[-1]
    assert (last.range, last.status, last.sent) == (f"bytes={3 * STEP}-", 206, len(content) - 3 * STEP)


def test_a_server_that_knows_no_ranges_sends_the_whole_again(server, archive, settings, root):
    server.files["pictures.tar.gz"] = archive.read_bytes()
    source = settings(urls=[f"{server.address}/pictures.tar.gz"])
    server.stop_after, server.knows_ranges = 3 * STEP, False
    assert_refused(root, source, "stopped after")
    server.stop_after = None
    fetch_source("pictures", source, root)
    assert_whole(root)
    assert (server.requests[-1].range, server.requests[-1].status) == (f"bytes={3 * STEP}-", 200)


def test_a_download_that_was_complete_is_not_sent_again(server, archive, settings, root, monkeypatch):
    server.files["pictures.tar.gz"] = archive.read_bytes()
    source = settings(urls=[f"{server.address}/pictures.tar.gz"])
    with monkeypatch.context() as patch:
        patch.setattr(fetching, "write_manifest", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fetch_source("pictures", source, root)
    assert_nothing(root)
    fetch_source("pictures", source, root)
    assert_whole(root)
    assert (server.requests[-1].status, server.requests[-1].sent) == (416, 0)


@pytest.mark.parametrize("longer", [True, False])
def test_a_part_of_another_file_is_dropped(server, archive, settings, root, longer):
    server.files["pictures.tar.gz"] = archive.read_bytes() * 2
    source = settings(urls=[f"{server.address}/pictures.tar.gz"])
    server.stop_after = len(archive.read_bytes()) + STEP if longer else 2 * STEP
    assert_refused(root, source, "stopped after")
    server.files["pictures.tar.gz"], server.stop_after, server.wrong_range = archive.read_bytes(), None, True
    assert_refused(root, source, "stopped after 0 bytes, run again to go on")
    assert not parts(root)
    fetch_source("pictures", source, root)
    assert_whole(root)


def test_the_next_address_is_tried(server, archive, settings, root):
    server.files["b"] = archive.read_bytes()
    fetch_source("pictures", settings(urls=[f"{server.address}/{name}" for name in "ab"]), root)
    assert_whole(root)
    assert [request.status for request in server.requests] == [404, 200]


def test_addresses_that_do_not_answer_are_all_named(server, settings, root):
    urls = [f"{server.address}/a", "http://127.0.0.1:1/b"]
    message = assert_refused(root, settings(urls=urls), "There is nowhere to get 'pictures' from")
    assert (
        f"({urls[0]} answers 404 Not Found; {urls[1]} cannot be reached (ConnectionError)). Ask the painter." in message
    )
    assert not parts(root)


def test_a_download_with_another_hash_is_refused_and_deleted(server, settings, root, tmp_path):
    other = pack(tmp_path / "other.tar", PICTURES).read_bytes()
    server.files["pictures.tar.gz"] = other
    source = settings(urls=[f"{server.address}/pictures.tar.gz"])
    assert_refused(root, source, f"its SHA-256 is {sha256(other)}, but {source.sha256} is expected; get it again")
    assert not parts(root)


def test_other_content_is_refused_and_says_what_differs(settings, root, tmp_path):
    changed = pack(tmp_path / "changed.zip", PICTURES | {"train/a.npy": b"two"})
    fewer = pack(tmp_path / "fewer.zip", FILES)
    tree = expected_tree(PICTURES | {"train/a.npy": b"two"})
    assert_refused(root, settings(), f"not the expected set of pictures: its tree hash is {tree}, .*; get it", changed)
    assert_refused(root, settings(), r"it holds 3 files instead of 4 \(1 missing\)", fewer)


def test_without_a_tree_hash_another_archive_is_refused(settings, root, tmp_path):
    other = pack(tmp_path / "other.zip", PICTURES)
    assert_refused(
        root, settings(contents={"files": 4}), "other.zip is not the expected pictures.tar.gz: its SHA", other
    )


@pytest.mark.parametrize("suffix", ["tar", "zip"])
def test_a_mirror_may_have_packed_the_same_files_anew(settings, root, tmp_path, monkeypatch, suffix):
    (tmp_path / "mirror").mkdir()
    pack(tmp_path / f"other.{suffix}", PICTURES).rename(tmp_path / "mirror/pictures.tar.gz")
    monkeypatch.setenv("DGR_DATA_MIRROR", str(tmp_path / "mirror"))
    fetch_source("pictures", settings(urls=["http://127.0.0.1:1/never"]), root)
    assert_whole(root)


@pytest.mark.parametrize("place", ["pictures/pictures.tar.gz", "pictures.tar.gz"])
@pytest.mark.parametrize("remote", [True, False])
def test_a_mirror_is_looked_in_first(server, archive, settings, root, tmp_path, monkeypatch, place, remote):
    path = tmp_path / "mirror" / place
    path.parent.mkdir(parents=True)
    shutil.copy(archive, path)
    server.files[f"mirror/{place}"] = archive.read_bytes()
    mirror = f"{server.address}/mirror" if remote else str(tmp_path / "mirror")
    monkeypatch.setenv("DGR_DATA_MIRROR", f"{mirror}/")
    assert fetch_source("pictures", settings(urls=["http://127.0.0.1:1/never"]), root).origin == f"{mirror}/{place}"
    assert_whole(root)


def test_a_mirror_may_hold_an_unpacked_folder(settings, root, tmp_path, monkeypatch):
    for name, content in PICTURES.items():
        path = tmp_path / "mirror/pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setenv("DGR_DATA_MIRROR", str(tmp_path / "mirror"))
    fetch_source("pictures", settings(), root)
    assert_whole(root)
    # What was fetched is a mirror itself; its manifest is no content.
    monkeypatch.setenv("DGR_DATA_MIRROR", str(root))
    fetch_source("pictures", settings(), tmp_path / "again")
    assert_whole(tmp_path / "again")


def test_a_file_that_no_hash_tells_apart_must_lie_in_the_sources_folder(settings):
    unknown = settings(sha256=None, contents={})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DGR_DATA_MIRROR", "/mirror")
        assert list(places("x", unknown, None)) == ["/mirror/x/pictures.tar.gz", "/mirror/x"]
        assert list(places("x", settings(), None)) == [
            *("/mirror/x/pictures.tar.gz", "/mirror/pictures.tar.gz", "/mirror/x")
        ]


def test_a_password_in_an_address_is_not_shown(server, settings, root, monkeypatch):
    monkeypatch.setenv("DGR_DATA_MIRROR", server.address.replace("//", "//me:secret@"))
    assert "secret" not in assert_refused(root, settings(), "answers 404")


@pytest.mark.parametrize("remote", [True, False])
def test_an_origin_is_the_only_place(server, archive, settings, root, tmp_path, monkeypatch, remote):
    server.files["a/pictures.tar.gz"] = archive.read_bytes()
    monkeypatch.setenv("DGR_DATA_MIRROR", str(tmp_path))
    source = settings(urls=[f"{server.address}/a/pictures.tar.gz"])
    assert_refused(root, source, r"from \(.*/missing (is missing|answers 404)", f"{server.address * remote}/missing")
    origin = f"{server.address}/a/pictures.tar.gz" if remote else archive
    assert fetch_source("pictures", source, root, origin).origin == str(origin)
    assert_whole(root)


def test_with_nowhere_to_get_it_from_the_instructions_are_shown(settings, root):
    assert assert_refused(root, settings(), "nowhere") == (
        "There is nowhere to get 'pictures' from. Ask the painter. Then run `python -m dgr fetch pictures --from PATH` "
        "with the path of pictures.tar.gz or of its unpacked folder, or put it at FOLDER/pictures/pictures.tar.gz and "
        "name FOLDER in the environment as DGR_DATA_MIRROR."
    )


def test_the_tree_hash_is_told_where_none_is_pinned(settings, root, archive):
    fetched = fetch_source("pictures", settings(contents={}), root, archive)
    assert (fetched.files, fetched.tree) == (4, expected_tree(PICTURES))


def test_a_single_file_is_checked_by_the_first_digits_of_its_hash(server, settings, root):
    server.files["weights.pth"] = NOISE
    weights = {"kind": "file", "file": "weights.pth", "urls": [f"{server.address}/weights.pth"], "contents": {}}
    assert_refused(
        root, settings(**weights, sha256="0" * 8), f"its SHA-256 is {sha256(NOISE)}, but 00000000 is expected"
    )
    assert not parts(root)
    fetch_source("weights", settings(**weights, sha256=sha256(NOISE)[:8]), root)
    assert_whole(root, {"weights.pth": NOISE}, "weights")


def test_what_is_there_and_whole_is_left(settings, root, archive):
    fetch_source("pictures", settings(), root, archive)
    before = (root / "pictures/manifest.json").stat()
    assert fetch_source("pictures", settings(), root, "/nowhere") == (
        root / "pictures",
        4,
        expected_tree(PICTURES),
        None,
        settings(),
    )
    after = (root / "pictures/manifest.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "train/a.npy").write_bytes(b"two"),
        lambda folder: (folder / "train/a.npy").unlink(),
        lambda folder: (folder / "train/new.npy").write_bytes(b"new"),
        lambda folder: (folder / "manifest.json").write_text("{"),
    ],
)
def test_what_is_damaged_is_fetched_again(settings, root, archive, damage):
    fetch_source("pictures", settings(), root, archive)
    damage(root / "pictures")
    assert fetch_source("pictures", settings(), root, archive).origin == str(archive)
    assert_whole(root)


def test_what_is_there_is_fetched_again_when_something_else_is_expected(settings, root, tmp_path):
    (tmp_path / "weights").write_bytes(b"old")
    weights = {"kind": "file", "file": "weights.pth", "contents": {}}
    fetch_source("weights", settings(**weights, sha256=sha256(b"old")), root, tmp_path / "weights")
    (tmp_path / "weights").write_bytes(b"new")
    fetch_source("weights", settings(**weights, sha256=sha256(b"new")), root, tmp_path / "weights")
    assert_whole(root, {"weights.pth": b"new"}, "weights")


def test_a_folder_that_was_put_there_by_hand_is_not_touched(settings, root, archive):
    (root / "pictures").mkdir(parents=True)
    (root / "pictures/own").write_bytes(b"mine")
    with pytest.raises(
        DGRError, match=r"sources/pictures was never checked; move it elsewhere and fetch it from there"
    ):
        fetch_source("pictures", settings(), root, archive)
    assert [path.name for path in (root / "pictures").iterdir()] == ["own"]


def test_a_full_disk_leaves_nothing_but_the_download(server, archive, settings, root, monkeypatch):
    class FullDisk(io.FileIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    open_file = Path.open
    server.files["pictures.tar.gz"] = archive.read_bytes()
    source = settings(urls=[f"{server.address}/pictures.tar.gz"])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode="r": (FullDisk if mode == "xb" else open_file)(path, mode))
        assert_refused(root, source, r"Cannot write .*sources/pictures: No space left on device; free")
    assert [part.read_bytes() for part in parts(root)] == [archive.read_bytes()]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode="r": (FullDisk if mode == "ab" else open_file)(path, mode))
        assert_refused(
            root, source.model_copy(update={"urls": [f"{source.urls[0]}?"]}), "No space left on device; free"
        )
    fetch_source("pictures", source, root)
    assert_whole(root)


def test_an_interruption_at_the_last_moment_leaves_nothing(settings, root, archive, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fetch_source("pictures", settings(), root, archive)
    assert_nothing(root)


def test_a_damaged_archive_leaves_nothing(settings, root, archive):
    archive.write_bytes(archive.read_bytes()[:-1000])
    source = settings(sha256=sha256(archive.read_bytes()))
    assert_refused(root, source, r"pictures\.tar\.gz is damaged or is no .tar", archive)


def test_the_sources_of_the_project_are_described():
    sources = read_sources(ROOT / "paper_configs")
    assert set(sources) == {
        *("utkface64", "utkface", "nyuv2", "nyuv2_small", "nyuv2_png", "sentiment", "cifar10_small", "cityscapes"),
        *("resnet50_imagenet", "resnet18_imagenet"),
    }
    assert sum(sources["nyuv2"].contents.patterns.values()) == 4 * (795 + 654)
    for source in sources.values():
        assert not source.urls or source.file.endswith(f"-{source.sha256}.pth")
    assert set(read_publishers(ROOT / "paper_configs")) == set(sources)


def test_unknown_sources_and_settings_are_named(tmp_path):
    with pytest.raises(DGRError, match="Unknown source 'nyu2'; did you mean 'nyuv2'"):
        read_source(ROOT / "paper_configs", "nyu2")
    (tmp_path / "sources.yaml").write_text("a: {title: t, kind: file, file: f, instructions: i, url: x}")
    with pytest.raises(DGRError, match=r"sources.yaml: a: unknown key 'url'; did you mean 'urls'"):
        read_sources(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"file": "../f"},
        {"sha256": "0676"},
        {"sha256": "X" * 8},
        {"urls": ["ftp://a/b"]},
        {"contents": {"tree": "0" * 8}},
    ],
)
def test_settings_that_cannot_be_right_are_refused(wrong):
    right = {"title": "t", "kind": "file", "file": "f", "instructions": "i"}
    assert SourcesFile.model_validate({"a": right}).root["a"].max_bytes == 64 * 2**30
    with pytest.raises(ValueError, match="should match pattern"):
        SourcesFile.model_validate({"a": right | wrong})
