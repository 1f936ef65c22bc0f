"""Locks of this checkout: one process at a time, and nobody's after a kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dgr.cli import STAGES, app
from dgr.plan.checkout.at_work import LOCKS, UNDER_DVC, Worker, alone, release, shared, stages_at_work, take
from dgr.plan.checkout.stage_lock import INTERRUPTED, stage_at_work

HOLD = """
import sys, time
from dgr.plan.checkout.at_work import take
held = take("train@a", ["dgr", "train", "a"])
print("held", flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def holding(seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(seconds)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_learns_who_has_it_and_a_kill_gives_it_back() -> None:
    with holding(600) as process:
        found = take("train@a", [])
        assert isinstance(found, Worker)
        assert str(found).startswith(f"process {process.pid} (`dgr train a`), since ")
        assert stages_at_work() == [found]
        process.kill()
        process.wait()
    mine = take("train@a", ["mine"])
    assert not isinstance(mine, Worker)
    release(mine)
    assert stages_at_work() == []
    assert not list(LOCKS.glob("*.lock"))


def test_the_same_stage_waits_and_says_for_whom(capfd: pytest.CaptureFixture[str]) -> None:
    start = time.monotonic()
    with holding(1.5) as process, stage_at_work(app, STAGES, ["train", "--device", "cpu", "a"]):
        assert process.wait() == 0, "it had ended before this went on"
    assert time.monotonic() - start > 1
    said = capfd.readouterr().err
    assert f"dgr: waiting for process {process.pid} (`dgr train a`), since " in said
    assert said.count("waiting") == 1


def test_after_ctrl_c_it_says_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), stage_at_work(app, STAGES, ["train", "a"]):
        raise SystemExit(INTERRUPTED)  # what the command line makes of it
    told = "dgr: interrupted; what is finished stays. Give the same command again.\n"
    assert capfd.readouterr().err == told
    with pytest.raises(SystemExit), stage_at_work(app, STAGES, ["train", "a"]):
        raise SystemExit(1)
    assert capfd.readouterr().err == ""


def test_ctrl_c_while_it_waits_is_no_traceback(checkout: Path) -> None:
    (checkout / "paper_configs").mkdir()
    with holding(600) as process:
        command = [sys.executable, "-m", "dgr", "train", "a"]
        known = os.environ | {UNDER_DVC: "train@a"}  # or it would ask for a plan first
        waits = subprocess.Popen(command, env=known, stderr=subprocess.PIPE, text=True, preexec_fn=_with_ctrl_c)
        assert waits.stderr is not None
        assert waits.stderr.readline().startswith("dgr: waiting for process")
        waits.send_signal(signal.SIGINT)
        assert waits.communicate(timeout=60)[1] == "dgr: interrupted.\n"
        assert waits.returncode == INTERRUPTED
        process.kill()


def _with_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is behind an & without it


def test_other_stages_and_other_commands_do_not_wait(capfd: pytest.CaptureFixture[str]) -> None:
    with holding(600) as process:
        for arguments in (["train", "b"], ["probe", "a"], ["list", "a"], ["train", "--help"], []):
            with stage_at_work(app, STAGES, arguments):
                pass
        process.kill()
    assert "waiting" not in capfd.readouterr().err


def test_nobody_is_alone_beside_a_stage() -> None:
    with shared(), alone() as nobody_else:
        assert not nobody_else
    with alone() as nobody_else:
        assert nobody_else


def test_every_stage_of_the_pipeline_is_held() -> None:
    import yaml

    root = Path(__file__).parents[3]
    files = (root / "dvc.yaml", root / "suites/shared/dvc.yaml")
    stages = [stage for file in files for stage in yaml.safe_load(file.read_text())["stages"].values()]
    for command in {stage.get("do", stage)["cmd"].split()[3] for stage in stages} - {"plan"}:
        with stage_at_work(app, STAGES, [command, "x"]):
            assert (LOCKS / f"{command}@x.lock").exists(), command


def test_what_holds_stages_is_no_part_of_a_results_code() -> None:
    """A run's manifest has the hash of each module that its process has loaded, but for the engines' part."""
    code = "import dgr.__main__, dgr.cli; from dgr.core.provenance import loaded_code; print(*loaded_code())"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "core/files.py" in loaded
    assert not [file for file in loaded if "checkout" in file or "warm" in file]
