"""A system, folder, disk or limit on which nothing can run is one sentence, before anything is loaded or written."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dgr.core.errors import DGRError
from dgr.core.paths import CONFIGS
from dgr.plan import warm
from dgr.plan.checkout import engine
from dgr.plan.opening import open_suite
from dgr.plan.system import ADDRESS_SPACE, check_disk, check_folder

WITHOUT_LOCKS = "import sys; sys.modules.update(fcntl=None); sys.argv = ['dgr', 'list']; {}"


def run(code: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("code", ["from dgr.__main__ import main; main()", "import dgr.plan.checkout.engine"])
def test_a_system_without_locks_is_told_which_ones_are_supported(code: str) -> None:
    done = run(WITHOUT_LOCKS.format(code))
    assert done.returncode == 1
    said = done.stderr.strip().splitlines()[-1]
    assert said.endswith(
        "The study runs on Linux and macOS, and this system is neither: on Windows use WSL; "
        "`from dgr import DummyGradientNorm` works everywhere."
    )
    assert ("Traceback" in done.stderr) == ("engine" in code)  # an import raises it, the command line prints it


def test_the_penalty_needs_no_locks() -> None:
    done = run(WITHOUT_LOCKS.format("from dgr import DummyGradientNorm; print(DummyGradientNorm.__name__)"))
    assert (done.stdout, done.stderr) == ("DummyGradientNorm\n", "")


def test_too_little_address_space_is_one_sentence(project: Path) -> None:
    """Torch would end the process without any error that could be told."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (400 * 10**6, resource.RLIM_INFINITY))

    assert ADDRESS_SPACE > 400 * 10**6
    done = run("from dgr.__main__ import main; import sys; sys.argv = ['dgr', 'train', 'x']; main()", preexec_fn=limit)
    assert done.returncode == 1
    assert done.stderr == (
        "dgr: This process may have 400 MB of address space, and needs 1,500 MB; lift the limit with "
        "`ulimit -v unlimited`, or ask a cluster for more memory.\n"
    )


def test_in_a_sub_folder_the_top_is_named(
    project: Path, command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_folder()
    folder = project / CONFIGS / "mini"
    monkeypatch.chdir(folder)
    sentence = f"there is no paper_configs in {folder}; `cd {project}` first."
    assert command("list") == f"dgr: commands need a checkout of the repository, and {sentence}"
    with pytest.raises(DGRError, match=rf"`cd {project}` first"):
        open_suite({})  # as `snakemake --snakefile ../../Snakefile` asks


def test_elsewhere_a_checkout_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DGRError, match=r"start them from a checkout's top folder"):
        check_folder()


def test_a_disk_without_room_is_told_before_a_stage_begins(
    project: Path, command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_disk()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 12_000))
    sentence = rf"Only 12 kB are free on the disk of {project}; make room and run again"
    with pytest.raises(DGRError, match=sentence):
        open_suite({})
    assert sentence in command("prepare", "multimnist")
    assert command("plan", "--check") is None  # which writes nothing


def test_a_disk_without_room_for_a_lock_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "take", full)
    with pytest.raises(DGRError, match=rf"^Cannot write {tmp_path}: No space left on device; free or unlock"):
        engine.begin("mini", [], False, print)


@pytest.mark.parametrize(("system", "started"), [("linux", 1), ("darwin", 0)])
def test_a_warm_process_is_for_linux(system: str, started: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[warm.Warm] = []
    monkeypatch.setattr(warm, "_kept", made)
    monkeypatch.setattr(warm, "Warm", lambda: type("Made", (), {"address": "/nowhere"})())
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(os, "environ", {})
    warm.keep_warm()
    assert (len(made), warm.ADDRESS in os.environ) == (started, bool(started))
