"""What is in an archive: the records of every run with a checksum of each file, and nothing that may not go further."""

import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from packed_project import FETCHED, FILES, RUN, SUITE, listed, make_packed_project

from dgr.archive.manifest import MANIFEST_NAME
from dgr.archive.outputs import kept_outputs, output_md5
from dgr.archive.packing import pack
from dgr.core.errors import DGRError

ARCHIVE = Path("runs.tar.gz")
DATE = "2026-01-31"


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    make_packed_project(tmp_path)
    monkeypatch.chdir(tmp_path)


def packed(large=False):
    """Every file of a new archive, by name."""
    pack([SUITE], ARCHIVE, large, DATE)
    with tarfile.open(ARCHIVE) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


def test_hashes_are_dvcs(tmp_path):
    """The numbers are those of `dvc add` of such a folder."""
    folder = tmp_path / "out"
    (folder / "seed-0").mkdir(parents=True)
    (folder / "seed-0/m.json").write_text("a\n")
    (folder / "manifest.json").write_text("ä\n", encoding="utf-8")
    assert output_md5(folder) == "438d6d98a7d5f49bc3eba9cf5aad7d97.dir"
    assert output_md5(folder / "seed-0/m.json") == "60b725f10c9c85c70d97880dfe8191b3"
    assert [entry["relpath"] for entry in listed(folder)] == ["manifest.json", "seed-0/m.json"]


def test_kept_are_the_outputs_that_neither_git_nor_a_licence_keeps_back():
    kept = {output.path: output.is_large for output in kept_outputs(SUITE)}
    assert kept == {
        "data/digits": False,
        f"runs/{SUITE}/train/{RUN}": False,
        f"runs/{SUITE}/probe/{RUN}.json": False,
        f"trained/{SUITE}/{RUN}": True,
    }


@pytest.mark.parametrize("large", [False, True])
def test_an_archive_holds_the_records_and_a_checksum_of_every_file(large):
    files = packed(large)
    assert next(iter(files)) == MANIFEST_NAME
    manifest = json.loads(files.pop(MANIFEST_NAME))
    assert {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()} == {
        name: (entry["size"], entry["sha256"]) for name, entry in manifest["files"].items()
    }
    wanted = {name for name in FILES if not name.startswith((f"data/{FETCHED}", "trained/"))}
    assert wanted <= set(files)
    assert not any(name.startswith(f"data/{FETCHED}") for name in files)
    assert any(name.startswith("trained/") for name in files) == large
    assert {output["path"] for output in manifest["outputs"]} == {
        output.path for output in kept_outputs(SUITE) if large or not output.is_large
    }
    assert all(files[name].decode() == FILES[name] for name in wanted)


def test_without_a_name_all_suites_with_a_lock_are_packed():
    Path("paper_configs/other").mkdir()
    named = pack([SUITE, SUITE], ARCHIVE, False, DATE)
    before = ARCHIVE.read_bytes()
    assert pack([], ARCHIVE, False, DATE) == named
    assert ARCHIVE.read_bytes() == before


def test_the_same_files_are_the_same_archive():
    packed()
    first = ARCHIVE.read_bytes()
    for path in Path("runs").rglob("*"):
        path.touch()
    packed()
    assert ARCHIVE.read_bytes() == first
    with tarfile.open(ARCHIVE) as archive:
        facts = {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.mode) for entry in archive}
    assert facts == {(0, 0, 0, "", 0o644)}
    # Neither a name nor a time in the compressed file's own head.
    assert ARCHIVE.read_bytes()[3:8] == bytes(5)


@pytest.mark.parametrize("damage", ["edited", "missing"])
def test_what_is_not_the_locks_is_not_packed(damage):
    path = Path(f"runs/{SUITE}/train/{RUN}/seed-0/metrics.json")
    path.write_text("{}") if damage == "edited" else path.unlink()
    with pytest.raises(
        DGRError, match=r"runs/toy/train/toy-run is not what the lock names \(.*train@toy-run\); get it"
    ):
        pack([SUITE], ARCHIVE, False, DATE)
    assert not ARCHIVE.exists()


def test_a_missing_output_and_a_missing_lock_are_named():
    Path(f"runs/{SUITE}/probe/{RUN}.json").unlink()
    with pytest.raises(DGRError, match=r"probe/toy-run.json is missing \(suites/toy/dvc.yaml:probe@toy-run\)"):
        pack([SUITE], ARCHIVE, False, DATE)
    Path("suites/toy/dvc.lock").unlink()
    with pytest.raises(DGRError, match=r"suites/toy/dvc.lock does not say what .*probe@toy-run made"):
        pack([SUITE], ARCHIVE, False, DATE)
    stages = ("[]", "{train@a: []}", '{train@a: {outs: ["a"]}}', "{train@a: {deps: 3}}")
    for damaged in ("a: [", "", "3", "stages:", *(f"stages: {each}" for each in stages)):
        Path("suites/toy/dvc.lock").write_text(damaged)
        with pytest.raises(DGRError, match=r"dvc.lock is not a lock of DVC's .*; get it back with `git checkout"):
            pack([SUITE], ARCHIVE, False, DATE)
    with pytest.raises(DGRError, match="Unknown suite 'toi'; did you mean 'toy'"):
        pack(["toi"], ARCHIVE, False, DATE)
    Path("suites/toy/dvc.lock").unlink()
    with pytest.raises(DGRError, match=r"No suite has a dvc\.lock, so there is nothing to pack"):
        pack([], ARCHIVE, False, DATE)


@pytest.mark.parametrize(("date", "message"), [(None, "git does not know"), ("May", "'May' is no date")])
def test_a_date_that_nobody_knows_is_asked_for(date, message):
    with pytest.raises(DGRError, match=f"{message}.*; give the day of publication as `--date"):
        pack([SUITE], ARCHIVE, False, date)
    assert not ARCHIVE.exists()
