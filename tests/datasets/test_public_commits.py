"""Sources made of files at public commits: brought, verified, resumed, and refused by name."""

import hashlib
import io
import os
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from archive_support import entry, expected_tree, pack
from http_server_support import serve
from pydantic import ValidationError
from typer.testing import CliRunner

from dgr.cli import app
from dgr.config.sources import SourceConfig, read_source
from dgr.core.errors import DGRError
from dgr.datasets import publishers
from dgr.datasets.archives import gather
from dgr.datasets.contents import Entry, Writer, difference
from dgr.datasets.digests import changed_files, digests_of, read_digests
from dgr.datasets.downloads import STEP
from dgr.datasets.fetch import fetch_source
from dgr.datasets.known import Known, Larger, known_source
from dgr.datasets.publishers import Part, Publisher, read_publishers

CONFIGS = Path(__file__).parents[2] / "paper_configs"
MIRROR = Path(os.environ.get("DGR_DATA_MIRROR", CONFIGS.parents[1] / "shared/data"))
SOURCES = ("utkface64", "nyuv2_small", "sentiment", "cifar10_small")
NOISE = np.random.default_rng(0).bytes(4 * STEP)
FACES = {"1_0_2_3.jpg.chip.jpg": NOISE, "9_1_0_4.jpg.chip.jpg": b"two", "55_0_0_5jpg.chip.jpg": b"three"}
NOTES = {"splits.mat": b"1 2 3", "classes.mat": NOISE[:100]}
WHOLE = {f"faces/{name}": content for name, content in FACES.items()} | NOTES


@pytest.fixture(autouse=True)
def no_mirror_and_no_proxy(monkeypatch):
    monkeypatch.delenv("DGR_DATA_MIRROR", raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
def server(monkeypatch):
    with serve() as running:
        monkeypatch.setattr(publishers, "RAW", f"{running.address}/raw/{{repository}}/{{commit}}/{{file}}")
        monkeypatch.setattr(publishers, "ARCHIVE", f"{running.address}/archive/{{repository}}/{{commit}}")
        yield running


def commit_archive(path, files, top="pictures-0123456"):
    """As GitHub packs a commit: one top folder, and what else the repository holds, such as a link."""
    others = {"README.md": b"text", "code/train.py": b"import this", "data/faces/list.txt": b"names"}
    link = entry(f"{top}/data/link", tarfile.SYMTYPE, linkname="/etc/passwd")
    return pack(path, {f"{top}/{name}": content for name, content in (others | files).items()} | {link: b""})


@pytest.fixture
def known():
    parts = [
        {"repository": "me/pictures", "commit": "0123456", "folder": "data", "files": ["faces/*jpg.chip.jpg"]},
        {"repository": "me/notes", "commit": "89abcdef", "files": ["splits.mat", "classes.mat"]},
    ]
    variants = [
        {"name": "the small copy", "tree": expected_tree({"a": b"small"})},
        {"name": "the wild ones", "like": "*.jpg", "unlike": "*.chip.jpg"},
    ]
    contents = {name: Entry(len(content), hashlib.sha256(content).hexdigest()) for name, content in WHOLE.items()}
    told = {"licence": "for the curious only", "parts": parts, "variants": variants}
    return Known(Publisher.model_validate(told), digests_of(contents))


@pytest.fixture
def source():
    contents = {"files": 5, "patterns": {"faces/*": 3, "*.mat": 2}, "tree": expected_tree(WHOLE)}
    blocks = {"title": "faces", "kind": "archive", "file": "faces.tar", "instructions": "Ask.", "contents": contents}
    return SourceConfig.model_validate(blocks)


@pytest.fixture
def served(server, tmp_path):
    """Both repositories."""
    files = {f"data/faces/{name}": content for name, content in FACES.items()}
    server.files["archive/me/pictures/0123456"] = commit_archive(tmp_path / "commit.tar.gz", files).read_bytes()
    server.files |= {f"raw/me/notes/89abcdef/{name}": content for name, content in NOTES.items()}
    return server


def assert_whole(root):
    found = {path.relative_to(root / "faces").as_posix() for path in (root / "faces").rglob("*") if path.is_file()}
    assert found == {*WHOLE, "manifest.json"}
    assert all((root / "faces" / name).read_bytes() == content for name, content in WHOLE.items())
    assert not list(root.glob(".downloads/*"))


def refusal(source, root, known, origin=None):
    """The sentence of a fetch that leaves nothing but parts of downloads."""
    with pytest.raises(DGRError) as raised:
        fetch_source("faces", source, root, origin, known)
    assert {path.name for path in root.iterdir()} <= {".downloads"}
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_parts_of_two_commits_are_one_source(served, source, known, tmp_path):
    done = fetch_source("faces", source, tmp_path / "sources", known=known)
    assert (done.files, done.tree) == (5, expected_tree(WHOLE))
    assert done.origin == "github.com/me/pictures at commit 0123456 and github.com/me/notes at commit 89abcdef"
    assert_whole(tmp_path / "sources")
    assert [request.path.rpartition("/")[2] for request in served.requests] == ["0123456", "splits.mat", "classes.mat"]


def test_a_mirror_goes_before_commits_and_an_origin_is_the_only_place(served, source, known, tmp_path, monkeypatch):
    pack(tmp_path / "faces.tar", WHOLE)
    assert "absent is missing" in refusal(source, tmp_path / "sources", known, tmp_path / "absent")
    monkeypatch.setenv("DGR_DATA_MIRROR", str(tmp_path))
    fetch_source("faces", source, tmp_path / "sources", known=known)
    assert served.requests == []


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_was_cut_is_continued_and_what_had_come_is_not_sent_again(served, source, known, tmp_path, knows_ranges):
    root = tmp_path / "sources"
    served.stop_after, served.knows_ranges = 2 * STEP, knows_ranges
    message = refusal(source, root, known)
    assert f"/archive/me/pictures/0123456 stopped after {2 * STEP:,} bytes, run again to go on" in message
    assert [part.stat().st_size for part in (root / ".downloads").iterdir()] == [2 * STEP]
    served.stop_after = None
    fetch_source("faces", source, root, known=known)
    assert_whole(root)
    assert [(request.range, request.status) for request in served.requests[1:2]] == [
        (f"bytes={2 * STEP}-", 206 if knows_ranges else 200)
    ]


def test_a_half_archive_whose_length_nobody_told_is_damage(served, source, known, tmp_path):
    served.says_length, served.stop_after = False, 2 * STEP
    assert "is damaged" in refusal(source, tmp_path / "sources", known)
    served.stop_after = None
    fetch_source("faces", source, tmp_path / "sources", known=known)
    assert_whole(tmp_path / "sources")


def test_a_changed_upstream_file_is_named(served, source, known, tmp_path):
    served.files["raw/me/notes/89abcdef/splits.mat"] = b"1 2 4"
    message = refusal(source, tmp_path / "sources", known)
    assert message.startswith("github.com/me/pictures at commit 0123456 and github.com/me/notes at commit 89abcdef is")
    tree = expected_tree(WHOLE | {"splits.mat": b"1 2 4"})
    assert f"its tree hash is {tree}, but {source.contents.tree} is expected" in message
    assert "files of another content: 1, the first is 'splits.mat'; get it again." in message
    assert not list((tmp_path / "sources/.downloads").iterdir())


def test_a_file_that_is_gone_or_one_too_few_is_named(served, source, known, tmp_path):
    gone = served.files.pop("raw/me/notes/89abcdef/classes.mat")
    assert "/raw/me/notes/89abcdef/classes.mat answers 404 Not Found" in refusal(source, tmp_path / "sources", known)
    served.files["raw/me/notes/89abcdef/classes.mat"] = gone
    fewer = commit_archive(tmp_path / "fewer.tar.gz", {"data/faces/1_0_2_3.jpg.chip.jpg": NOISE})
    served.files["archive/me/pictures/0123456"] = fewer.read_bytes()
    for part in (tmp_path / "sources/.downloads").iterdir():
        part.unlink()
    assert "it holds 3 files instead of 5 (2 missing)" in refusal(source, tmp_path / "sources", known)


@pytest.mark.parametrize(
    ("files", "name"), [({"a": b"small"}, "the small copy"), ({"x/1_2.jpg": b"", "x/2_3.jpg": b""}, "the wild ones")]
)
def test_another_variant_is_called_by_its_name(source, known, tmp_path, files, name):
    path = pack(tmp_path / "faces.zip", files)
    message = refusal(source, tmp_path / "sources", known, path)
    assert message == f"{path} is not the expected faces: it is {name}."


def test_a_variant_is_refused_where_names_and_numbers_alone_would_pass(source, known, tmp_path):
    blind = source.model_copy(update={"contents": source.contents.model_copy(update={"tree": None})})
    small = WHOLE | {"splits.mat": b"small"}
    variant = known.publisher.variants[0].model_copy(update={"tree": expected_tree(small)})
    told = Known(known.publisher.model_copy(update={"variants": [variant]}))
    path = pack(tmp_path / "faces.zip", small)
    assert "it is the small copy." in refusal(blind, tmp_path / "sources", told, path)
    fetch_source("faces", blind, tmp_path / "sources", path)


@pytest.mark.parametrize("suffix", ["tar.gz", "zip", "folder"])
def test_what_file_managers_leave_does_not_matter(source, known, tmp_path, suffix):
    leavings = {"__MACOSX/faces/._1_0_2_3.jpg.chip.jpg": b"x", "in/.DS_Store": b"y", "in/faces/._a": b"z"}
    files = leavings | {f"in/{name}": content for name, content in WHOLE.items()}
    path = tmp_path / f"faces.{suffix}"
    if suffix == "folder":
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    else:
        pack(path, files)
    assert fetch_source("faces", source, tmp_path / "sources", path, known).tree == expected_tree(WHOLE)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"1_0_2_3.jpg.chip.jpg": b"a"}, "it holds 1 files instead of 23,708"),
        ({"1_0_2_3.jpg": b"a"}, "it is UTKFace in the wild"),
        (
            {"UTKFace/1_0_2_3.jpg.chip.jpg": b"a", "crop_part1/1_0_2_3.jpg.chip.jpg": b"a"},
            "it is a copy with its chips",
        ),
    ],
)
def test_variants_of_the_faces_are_named(tmp_path, files, message):
    known = Known(read_publishers(CONFIGS)["utkface"])
    path = pack(tmp_path / "faces.zip", files)
    with pytest.raises(DGRError, match=message):
        fetch_source("utkface", read_source(CONFIGS, "utkface"), tmp_path / "sources", path, known)


def test_the_genuine_faces_are_taken_and_one_too_few_is_not():
    """As many files as the public archive has, one of them with its odd name."""
    source, publisher = read_source(CONFIGS, "utkface"), read_publishers(CONFIGS)["utkface"]
    names = [*(f"{1 + number % 116}_0_0_{number}.jpg.chip.jpg" for number in range(23707)), "55_0_0_17jpg.chip.jpg"]
    contents = dict.fromkeys(names, Entry(0, "0" * 64))
    assert difference(contents, source) is None
    assert not any(variant.is_it(contents) for variant in publisher.variants)
    assert [publisher.parts[0].kept(f"UTKFace-d5a7ff2/data/{name}") for name in names] == names
    assert [publisher.parts[0].kept(name) for name in ("UTKFace-d5a7ff2/app.py", "UTKFace-d5a7ff2/data/x.jpg")] == 2 * [
        None
    ]
    contents.popitem()
    assert "it holds 23,707 files instead of 23,708 (1 missing)" in difference(contents, source)


@pytest.fixture
def small(source, known):
    """A reduced copy, of which ``known`` is the larger one."""
    contents = {"files": 2, "patterns": {"faces/*": 1, "*.mat": 1}, "tree": expected_tree({"other": b"1"})}
    told = source.model_dump() | {"title": "small faces", "file": "small.tar", "contents": contents}
    publisher = Publisher.model_validate({"licence": "for the curious only", "larger": "faces"})
    return SourceConfig.model_validate(told), Known(publisher, larger=Larger(source, known.publisher))


@pytest.mark.parametrize("given", [True, False])
def test_where_a_reduced_copy_cannot_be_had_the_originals_stand_in_for_it(served, source, small, tmp_path, given):
    config, known = small
    origin = pack(tmp_path / "originals.zip", WHOLE) if given else None
    done = fetch_source("faces", config, tmp_path / "sources", origin, known)
    assert (done.tree, done.content) == (expected_tree(WHOLE), source)
    assert_whole(tmp_path / "sources")
    again = fetch_source("faces", config, tmp_path / "sources", known=known)
    assert (again.origin, again.content) == (None, source)


def test_a_damaged_reduced_copy_is_not_taken_for_its_originals(known, tmp_path):
    """Where both have the same names, as the two copies of the rooms."""
    reduced = {name: b"small" + content[:50] for name, content in WHOLE.items()}
    names = {"files": 5, "patterns": {"faces/*": 3, "*.mat": 2}}
    block = {"title": "small faces", "kind": "archive", "file": "small.tar", "instructions": "Ask."}
    contents = {name: Entry(len(content), hashlib.sha256(content).hexdigest()) for name, content in reduced.items()}
    config = SourceConfig.model_validate(block | {"contents": names | {"tree": expected_tree(reduced)}})
    larger = SourceConfig.model_validate(block | {"title": "faces", "contents": names})
    told = Known(known.publisher.model_copy(update={"variants": []}), digests_of(contents))
    told = told._replace(larger=Larger(larger, known.publisher))
    whole = fetch_source("faces", config, tmp_path / "one", pack(tmp_path / "whole.zip", WHOLE), told)
    assert whole.content == larger
    damaged = pack(tmp_path / "damaged.zip", reduced | {"splits.mat": b"other"})
    said = refusal(config, tmp_path / "two", told, damaged)
    assert "files of another content: 1, the first is 'splits.mat'" in said


def test_what_is_neither_the_reduced_copy_nor_its_originals_is_refused(small, tmp_path):
    config, known = small
    path = pack(tmp_path / "half.zip", dict(list(WHOLE.items())[1:]))
    assert "is not the expected small faces: it holds 4 files instead of 2" in refusal(
        config, tmp_path / "sources", known, path
    )


def test_reduced_copies_have_originals_at_public_commits():
    for name, larger in (("utkface64", "utkface"), ("nyuv2_small", "nyuv2_png")):
        known = known_source(CONFIGS, name)
        assert known.larger == Larger(read_source(CONFIGS, larger), read_publishers(CONFIGS)[larger])
        assert not known.publisher.parts
        assert known.larger.publisher.parts


def test_terms_are_said_before_the_fetch_and_a_bar_shows_its_progress(
    served, source, known, tmp_path, monkeypatch, capsys
):
    configs = tmp_path / "configs"
    configs.mkdir()
    for name, block in (("sources", source), ("publishers", known.publisher)):
        (configs / f"{name}.yaml").write_text(yaml.safe_dump({"faces": block.model_dump(mode="json")}))
    (configs / "digests.yaml").write_text(yaml.safe_dump({"faces": known.digests}))
    monkeypatch.setattr("dgr.cli.CONFIGS", configs)
    monkeypatch.setattr("dgr.core.paths.SOURCES", tmp_path / "sources")
    served.stop_after = STEP
    cut = CliRunner().invoke(app, ["fetch", "faces"])
    assert isinstance(cut.exception, DGRError)
    assert cut.stderr == "faces: for the curious only\n"
    served.stop_after = None
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        fetch_source("faces", source, tmp_path / "elsewhere", known=known)
    assert terminal.getvalue().count("100%|") == 3
    told = CliRunner().invoke(app, ["fetch", "faces"])
    assert told.stdout == f"{tmp_path}/sources/faces: 5 files, tree {expected_tree(WHOLE)}\n"


@pytest.mark.parametrize(
    "wrong",
    [
        {"commit": "main"},
        {"commit": "012345"},
        {"repository": "https://github.com/me/pictures"},
        {"files": []},
    ],
)
def test_a_part_that_is_not_pinned_is_refused(wrong):
    right = {"repository": "me/pictures", "commit": "0123456", "files": ["*"]}
    assert Part.model_validate(right).is_archive
    with pytest.raises(ValidationError):
        Part.model_validate(right | wrong)


def test_digests_name_what_changed_and_nothing_where_names_differ():
    def entries(files):
        return {name: Entry(len(text), hashlib.sha256(text).hexdigest()) for name, text in files.items()}

    files = {"a": b"1", "x/b": b"2", "x/a": b"3"}
    digests = digests_of(entries(files))
    first = [hashlib.sha256(text).hexdigest()[:4] for text in (b"1", b"3", b"2")]
    assert digests == {".": first[0], "x": first[1] + first[2]}
    assert changed_files(entries(files), digests) == []
    assert changed_files(entries(files | {"x/b": b"9", "a": b"8"}), digests) == ["a", "x/b"]
    assert changed_files(entries(files | {"x/c": b"9"}), digests) == []
    assert changed_files(entries(files), {}) == []


@pytest.fixture
def real():
    """Where a small copy lies, by the source's name."""

    def path(name):
        file = MIRROR / name / read_source(CONFIGS, name).file
        if not file.is_file():
            pytest.skip(f"needs {name}/{file.name}; name its folder as DGR_DATA_MIRROR")
        return file

    return path


@pytest.mark.parametrize("name", SOURCES)
def test_the_real_copies_come_over_the_network_in_two_pieces(name, real, server, tmp_path, monkeypatch):
    content = real(name).read_bytes()
    source = read_source(CONFIGS, name)
    server.files[f"{name}/{source.file}"] = content
    monkeypatch.setenv("DGR_DATA_MIRROR", server.address)
    known = Known(None, read_digests(CONFIGS).get(name, {}))
    server.stop_after = len(content) // 2
    with pytest.raises(DGRError, match=r"stopped after .* bytes, run again to go on"):
        fetch_source(name, source, tmp_path, known=known)
    server.stop_after = None
    done = fetch_source(name, source, tmp_path, known=known)
    assert (done.files, done.tree) == (source.contents.files, source.contents.tree)
    assert server.requests[-1].status == 206


@pytest.mark.parametrize("name", ["sentiment", "cifar10_small"])
def test_the_real_copies_come_from_commits(name, real, server, tmp_path):
    source, known = read_source(CONFIGS, name), Known(read_publishers(CONFIGS)[name], read_digests(CONFIGS)[name])
    folder, contents = gather(real(name), source, Writer(tmp_path / "new", name, source))
    files = {file: (folder / file).read_bytes() for file in contents}
    (part,) = known.publisher.parts
    if part.is_archive:
        more = {"train/airplane/0100.jpg": b"not wanted", "test/airplane/0200.jpg": b"not wanted"}
        packed = commit_archive(tmp_path / "commit.tar.gz", files | more).read_bytes()
        server.files[part.addresses[0].removeprefix(f"{server.address}/")] = packed
    else:
        named = zip(part.addresses, part.files, strict=True)
        server.files |= {address.removeprefix(f"{server.address}/"): files[file] for address, file in named}
    assert fetch_source(name, source, tmp_path / "sources", known=known).tree == source.contents.tree


@pytest.mark.parametrize("name", ["nyuv2_small", "sentiment", "cifar10_small"])
def test_one_changed_byte_in_a_real_copy_is_named(name, real, tmp_path):
    source = read_source(CONFIGS, name)
    folder, contents = gather(real(name), source, Writer(tmp_path / "new", name, source))
    changed = sorted(contents)[len(contents) // 2]
    content = bytearray((folder / changed).read_bytes())
    content[-1] ^= 1
    (folder / changed).write_bytes(content)
    known = Known(read_publishers(CONFIGS)[name], read_digests(CONFIGS)[name])
    with pytest.raises(DGRError, match=f"files of another content: 1, the first is '{changed}'"):
        fetch_source(name, source, tmp_path / "sources", folder, known)
    assert list((tmp_path / "sources").iterdir()) == []
