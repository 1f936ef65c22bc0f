"""What killed processes leave: temporary files, entries of DVC's list, a cut lock."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dgr.core.files import write_atomically, write_text
from dgr.plan.checkout.dvc_at_work import LIST, mend_list, user_of
from dgr.plan.checkout.leftovers import (
    remove_leftovers,
    remove_leftovers_of_dvc,
    remove_leftovers_of_snakemake,
    remove_unfinished,
)
from dgr.plan.checkout.lock_files import mend_lock_files
from dgr.plan.checkout.settled import is_settled, settle, unsettle

ROOT = Path(__file__).parents[3]
LOCK = (ROOT / "dvc.lock").read_text(encoding="utf-8")
STAGES = yaml.load(LOCK, yaml.CSafeLoader)["stages"]


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file()}


def half_written(path: Path) -> None:
    """What a process leaves that is killed while it writes."""
    code = "import os, sys; from pathlib import Path; from dgr.core.files import write_atomically as write;"
    code += "write(Path(sys.argv[1]), lambda file: (file.write(b'half'), file.flush(), os.kill(os.getpid(), 9)))"
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9


def test_what_is_half_written_goes_and_the_rest_stays() -> None:
    kept = {"data/d/train.npy", "results/mini/records/runs.csv", "runs/mini/train/a-b/seed-0/metrics.json"}
    kept |= {".dvc/cache/files/md5/a5/cfad", ".dvc/cache/runs/a5/cfad", ".venv-training/bin/python"}
    kept |= {"results/.notes-abcdefgh/mine.txt"}
    kept |= {"unfinished/key-0123456789abcdef/seed-0.pt", ".gitignore", "sources/.faces-abcdefgh/part.zip"}
    for name in kept:
        write_text(Path(name), "x")
    for name in ("results/mini/records/runs.csv", "trained/mini/a/seed-0.pt", "plan.json"):
        half_written(Path(name))
    write_text(Path("data/.d-abcd_123/d/train.npy"), "x")
    write_text(Path(".dvc/cache/files/md5/.Ab3-_Ab3-_Ab3-_Ab3-_Ab.tmp"), "x")
    write_text(Path(".dvc/cache/a5/cfad8cca0acfb19f9f411f4dc32d1b.dir"), "x")
    write_text(Path(".snakemake/locks/0.input.lock"), "x")
    write_text(Path(".snakemake/tmp.abc/x"), "x")
    Path("unfinished/key-0000").mkdir()
    assert len(files()) == len(kept) + 8
    remove_leftovers()
    remove_leftovers_of_dvc()
    remove_leftovers_of_snakemake()
    assert files() == kept
    assert [path.name for path in Path("unfinished").iterdir()] == ["key-0123456789abcdef"]
    remove_unfinished({"another-key", "ke"})
    assert files() == kept
    remove_unfinished({"key"})
    assert not list(Path("unfinished").iterdir())


def write_list(process: int, key: str = "a") -> None:
    info = {"pid": process, "cmd": "dvc repro"}
    write_text(LIST, json.dumps({"write": {f"/x/train/{key}": info}, "read": {"/x/data": [info]}}))


def test_entries_of_processes_that_are_gone_go_and_others_stay() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_list(ended.pid)
    assert user_of(["a"]) is None
    mend_list()
    assert json.loads(LIST.read_text()) == {}
    write_list(os.getpid())
    worker = user_of(["a"])
    assert worker is not None
    assert str(worker).startswith(f"process {os.getpid()} (`dvc repro`), since ")
    assert user_of(["b"]) is None
    before = LIST.read_text()
    mend_list()
    assert LIST.read_text() == before
    # A process with this number that began after the list was written is another one.
    os.utime(LIST, (0, 0))
    assert user_of(["a"]) is None
    mend_list()
    assert json.loads(LIST.read_text()) == {}


def test_a_list_that_was_cut_off_goes() -> None:
    write_list(os.getpid())
    LIST.write_text(LIST.read_text()[:20])
    mend_list()
    assert not LIST.exists()


def test_a_cut_lock_is_completed_from_the_last_whole_one() -> None:
    write_text(Path("dvc.lock"), LOCK)
    assert list(mend_lock_files()) == []
    draw = random.Random(0)
    for place in [0, 1, len(LOCK) - 1, *(draw.randrange(len(LOCK)) for _ in range(5))]:
        Path("dvc.lock").write_text(LOCK[:place], encoding="utf-8")
        (sentence,) = mend_lock_files()
        assert "dvc.lock was cut off when DVC was killed" in sentence
        assert yaml.load(Path("dvc.lock").read_text(encoding="utf-8"), yaml.CSafeLoader)["stages"] == STAGES
        assert list(mend_lock_files()) == []


def test_a_lock_that_was_cut_off_between_two_lines_has_no_stage_in_part() -> None:
    """DVC would read it, and take the outputs that are missing there for those of an older DVC."""
    kinds = ("plan", "table", "train")
    described = yaml.load((ROOT / "dvc.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)["stages"]
    write_text(Path("dvc.yaml"), json.dumps({"stages": {kind: described[kind] for kind in kinds}}))
    names = [next(name for name in STAGES if name.partition("@")[0] == kind) for kind in kinds]
    wanted = {name: STAGES[name] for name in names}
    lines = yaml.safe_dump({"schema": "2.0", "stages": wanted}, sort_keys=False).splitlines(keepends=True)
    begins = [number for number, line in enumerate(lines) if line.startswith("  ") and line[2] not in " -"]
    assert len(STAGES[names[2]]["outs"]) == 2
    for end in range(2, len(lines) + 1):
        Path("dvc.lock").write_text("".join(lines[:end]), encoding="utf-8")
        told = list(mend_lock_files())
        stages = yaml.safe_load(Path("dvc.lock").read_text(encoding="utf-8"))["stages"]
        assert [wanted[name] for name in stages] == list(stages.values()), "".join(lines[:end])
        assert bool(told) != (end in [*begins[1:], len(lines)])
        shutil.rmtree(".snakemake", ignore_errors=True)  # no copy to take anything from


def test_a_lock_that_was_never_written_is_none_that_was_cut_off() -> None:
    Path("dvc.lock").unlink(missing_ok=True)
    assert list(mend_lock_files()) == []
    assert not Path("dvc.lock").exists()


def test_what_is_left_of_a_lock_is_newer_than_the_copy() -> None:
    write_text(Path("dvc.lock"), LOCK)
    list(mend_lock_files())
    first = next(iter(STAGES))
    newer = LOCK.replace(STAGES[first]["outs"][0]["md5"], "a" * 32)
    Path("dvc.lock").write_text(newer[: len(newer) // 2], encoding="utf-8")
    list(mend_lock_files())
    stages = yaml.load(Path("dvc.lock").read_text(encoding="utf-8"), yaml.CSafeLoader)["stages"]
    assert stages[first]["outs"][0]["md5"] == "a" * 32
    assert stages.keys() == STAGES.keys()


def test_without_a_copy_only_whole_stages_are_kept() -> None:
    Path("dvc.lock").write_text(LOCK[: len(LOCK) // 2], encoding="utf-8")
    list(mend_lock_files())
    stages = yaml.load(Path("dvc.lock").read_text(encoding="utf-8"), yaml.CSafeLoader)["stages"]
    assert 10 < len(stages) < len(STAGES)
    assert all(STAGES[name] == entry for name, entry in stages.items())


def test_a_stage_that_runs_unsettles_every_suite() -> None:
    settle("mini")
    settle("other")
    assert is_settled("mini")
    unsettle()
    assert not is_settled("mini")
    assert not is_settled("other")
    shutil.rmtree(".snakemake")
    unsettle()


def test_write_atomically_names_what_is_taken_for_left_over(tmp_path: Path) -> None:
    seen: list[str] = []
    write_atomically(tmp_path / "results/a.csv", lambda file: seen.append(file.name))
    Path("results").mkdir(exist_ok=True)
    shutil.copy(tmp_path / "results/a.csv", seen[0])
    remove_leftovers()
    assert files() == {"results/a.csv"}
