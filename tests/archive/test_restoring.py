"""Putting an archive back: what the lock names and nothing else; a bad one is one sentence, and changes nothing."""

import errno
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from packed_project import FETCHED, FILES, RUN, SUITE, make_packed_project, write_locks

from dgr.archive.manifest import MANIFEST_NAME
from dgr.archive.packing import pack
from dgr.archive.restoring import restore
from dgr.core.errors import DGRError
from dgr.core.paths import UNFINISHED

ARCHIVE = Path("../runs.tar.gz")
METRICS = f"runs/{SUITE}/train/{RUN}/seed-0/metrics.json"
LOCK = Path(f"suites/{SUITE}/dvc.lock")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A clone of the made-up project beside an archive of it, without what stages made."""
    root = tmp_path_factory.mktemp("made") / "clone"
    make_packed_project(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        pack([SUITE], ARCHIVE, False, "2026-01-31")
    for folder in ("runs", "trained", "data/digits"):
        shutil.rmtree(root / folder)
    return root.parent


@pytest.fixture
def workplace(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


def contents():
    files = (path for path in Path().rglob("*") if path.is_file() and not path.is_relative_to(".dvc/tmp"))
    return {str(path): path.read_bytes() for path in files}


def dvc(*arguments):
    done = subprocess.run((sys.executable, "-m", "dvc", *arguments), capture_output=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


def test_dvc_takes_what_was_restored_and_trains_nothing(workplace):
    shutil.copytree(Path(__file__).parents[2] / ".dvc", ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
    Path(".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    done = restore(ARCHIVE)
    assert (done.suites, done.outputs, done.absent) == ([SUITE], 3, 1)
    assert {name: Path(name).read_text() for name in FILES if not name.startswith("trained/")} == {
        name: text for name, text in FILES.items() if not name.startswith("trained/")
    }
    assert not list(UNFINISHED.iterdir())
    status = json.loads(dvc("status", "--json", f"suites/{SUITE}/dvc.yaml", "suites/shared/dvc.yaml:prepare@digits"))
    absent = {f"trained/{SUITE}/{RUN}": "not in cache"}
    assert status == {f"suites/{SUITE}/dvc.yaml:train@{RUN}": [{"changed outs": absent}]}
    # One content on the disk: the working tree's file is the cache's.
    assert Path(METRICS).stat().st_nlink == 2
    before = contents()
    assert restore(ARCHIVE).outputs == 3
    assert contents() == before


def edit_archive(change):
    """Write the archive anew after a change of its files, a dictionary from name to content or TarInfo."""
    with tarfile.open(ARCHIVE) as archive:
        files = {entry.name: archive.extractfile(entry).read() for entry in archive}
    change(files)
    with tarfile.open(ARCHIVE, "w:gz") as archive:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
            else:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))


def edit_manifest(files, change):
    manifest = json.loads(files[MANIFEST_NAME])
    change(manifest)
    files[MANIFEST_NAME] = json.dumps(manifest).encode()


def forge(files):
    """Another number, with its checksum in the map."""
    files[METRICS] = b'{"accuracy": 0.9}\n'
    digest = hashlib.sha256(files[METRICS]).hexdigest()
    edit_manifest(files, lambda manifest: manifest["files"][METRICS].update(sha256=digest))


def entry_of(kind, name, target=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


BAD = {
    "another number": (lambda files: files.update({METRICS: b"{}"}), f"has another content of {METRICS}"),
    "another number and checksum": (forge, f"has another runs/{SUITE}/train/{RUN} than it says"),
    "a file less": (lambda files: files.pop(METRICS), f"lacks {METRICS}"),
    "a file more": (lambda files: files.update({"src/evil.py": b""}), "also holds src/evil.py"),
    "a name that leads out": (lambda files: files.update({"../evil": b""}), "'../evil', which leads out of its folder"),
    "an absolute name": (lambda files: files.update({"/tmp/evil": b""}), "'/tmp/evil', which leads out of its folder"),
    "a link": (
        lambda files: files.update({"runs/x": entry_of(tarfile.SYMTYPE, "runs/x", "/etc/passwd")}),
        "'runs/x', which is a link or a device",
    ),
    "a hard link": (
        lambda files: files.update({"runs/x": entry_of(tarfile.LNKTYPE, "runs/x", METRICS)}),
        "'runs/x', which is a link or a device",
    ),
    "no manifest": (lambda files: files.pop(MANIFEST_NAME), "so it is no archive of runs"),
    "a manifest of another kind": (
        lambda files: edit_manifest(files, lambda manifest: manifest.update(format=2)),
        "holds an archive.json that cannot be used",
    ),
    "a manifest that is no JSON": (lambda files: files.update({MANIFEST_NAME: b"{"}), "that cannot be used"),
    "an unknown suite": (
        lambda files: edit_manifest(files, lambda manifest: manifest.update(suites=["toi"])),
        "Unknown suite 'toi'; did you mean 'toy'",
    ),
    "an output twice": (
        lambda files: edit_manifest(files, lambda manifest: manifest["outputs"].append(manifest["outputs"][0])),
        "names an output twice",
    ),
    "another data set": (
        lambda files: edit_manifest(files, lambda manifest: manifest["outputs"][0].update(md5="0" * 32)),
        r"was made with another dvc.lock: suites/shared/dvc.yaml:prepare@digits made another data/digits; check out",
    ),
    "an output of nobody": (
        lambda files: edit_manifest(files, lambda manifest: manifest["outputs"][0].update(path=f"data/{FETCHED}")),
        "was made with another dvc.lock: .*prepare@digits made another data/",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_archive_is_refused_and_nothing_changes(workplace, what):
    change, message = BAD[what]
    edit_archive(change)
    refused(message)


def refused(message):
    before = contents()
    with pytest.raises(DGRError, match=message) as caught:
        restore(ARCHIVE)
    assert str(caught.value).count("\n") == 0
    assert contents() == before
    assert not UNFINISHED.exists() or not list(UNFINISHED.iterdir())


def test_a_damaged_or_foreign_file_is_refused(workplace):
    whole = ARCHIVE.read_bytes()
    ARCHIVE.write_bytes(whole[: len(whole) // 2])
    refused(r"runs.tar.gz is damaged or is no .*; get it again")
    ARCHIVE.write_bytes(gzip.compress(gzip.decompress(whole)[:2048]))
    refused("is damaged or is no")
    ARCHIVE.write_text("no archive")
    refused("is damaged or is no")
    ARCHIVE.unlink()
    refused("There is no archive .*runs.tar.gz; name the file that `dgr archive` wrote")


def test_another_lock_is_refused_by_the_stage_that_differs(workplace):
    LOCK.write_text(LOCK.read_text().replace("path: runs/toy/probe", "path: runs/toy/probed"))
    refused("suites/toy/dvc.lock does not say what .*probe@toy-run made")
    make_packed_project(workplace)
    with (workplace / METRICS).open("a") as file:
        file.write(" ")
    write_locks(workplace)
    shutil.rmtree("runs")
    refused(r"was made with another dvc.lock: suites/toy/dvc.yaml:train@toy-run made another runs/toy/train/toy-run")


def test_what_lies_there_is_not_replaced(workplace):
    Path(METRICS).parent.mkdir(parents=True)
    Path(METRICS).write_text("hours of my own work")
    refused(f"runs/{SUITE}/train/{RUN} is here already and is not what the lock names; move it away")


def test_a_full_disk_is_one_sentence(workplace, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dgr.datasets.contents.Writer.write", full)
    refused("Cannot write unfinished: No space left on device; free or unlock that place")


def test_where_dvc_is_not_set_up_its_own_sentence_is_given(workplace):
    refused(r"DVC refuses to `dvc cache` \(.*\); mend that and run again")
