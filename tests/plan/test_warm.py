"""A command that is a fork of the warm process does what it does in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from project_support import ROOT

from dgr.plan.checkout.at_work import LOCKS, stages_at_work

SOURCE = ROOT / "src"
SERVE = """
import sys
from dgr.plan import warm_server
warm_server.LIBRARIES = (("colorsys",), ("tabnanny",))
warm_server.serve(sys.argv[1])
"""
ASKED = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ["ASKED"], sys.stdin.read())
print("colorsys" in sys.modules, sorted(name for name in sys.modules if name.startswith("dgr")), file=sys.stderr)
sys.exit(sys.argv[1] if sys.argv[1:] == ["said"] else int(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "asked.py").write_text(ASKED)
    return tmp_path


@pytest.fixture
def warm(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which a warm process answers."""
    address = folder / "place/warm"
    address.parent.mkdir()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(address)], stdin=subprocess.PIPE, cwd=folder)
    while not address.exists():
        time.sleep(0.01)
    yield os.environ | {"DGR_WARM": str(address), "ASKED": "yes"}
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0
    assert not address.parent.exists()


def ask(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from dgr.plan.warm import main; main()", "asked", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, input="in", capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("argument", "status", "said"), [("0", 0, ""), ("3", 3, ""), ("said", 1, "said\n")])
def test_a_fork_has_the_same_arguments_files_and_status(
    folder: Path, warm: dict[str, str], argument: str, status: int, said: str
) -> None:
    forked, alone = (ask(folder, environment, argument) for environment in (warm, {**warm, "DGR_WARM": "/nowhere"}))
    assert forked.stdout == alone.stdout == f"['{argument}'] {folder} yes in\n"
    assert forked.returncode == alone.returncode == status
    # The library is there already, and none of this project's modules is.
    assert forked.stderr == f"True []\n{said}"
    assert alone.stderr.startswith("False")


def test_only_from_the_second_command_on_is_all_imported(folder: Path, warm: dict[str, str]) -> None:
    """Where nothing is to be done there is one, of DVC, and nobody waits for torch."""
    (folder / "asked.py").write_text("import sys; print([name in sys.modules for name in ('colorsys', 'tabnanny')])")
    assert [ask(folder, warm).stdout for _ in range(3)] == ["[True, False]\n", *["[True, True]\n"] * 2]


def test_an_error_keeps_its_traceback(folder: Path, warm: dict[str, str]) -> None:
    done = ask(folder, warm, "word")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ValueError: invalid literal for int()" in done.stderr


def test_edited_code_is_read_anew(folder: Path, warm: dict[str, str]) -> None:
    assert ask(folder, warm, "0").stdout.startswith("['0']")
    (folder / "asked.py").write_text("print('another')\n")
    assert ask(folder, warm, "0").stdout == "another\n"


def test_another_interpreter_runs_by_itself(folder: Path, warm: dict[str, str]) -> None:
    done = ask(folder, {**warm, "PYTHONHASHSEED": "5"}, "0")
    assert done.stdout.startswith("['0']")
    assert done.stderr.startswith("False")


def test_a_fork_looks_for_modules_where_its_command_would(folder: Path, warm: dict[str, str]) -> None:
    (folder / "other").mkdir()
    (folder / "other/asked.py").write_text("print('of the other folder')\n")
    (folder / "asked.py").unlink()
    assert ask(folder, {**warm, "PYTHONPATH": str(folder / "other")}).stdout == "of the other folder\n"


def _catches(process: int, number: signal.Signals) -> bool:
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert caught is not None
    return bool(int(caught[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 128 + signal.SIGKILL), (signal.SIGINT, 1)])
def test_a_signal_reaches_the_fork(folder: Path, warm: dict[str, str], number: signal.Signals, status: int) -> None:
    (folder / "asked.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, "-c", "from dgr.plan.warm import main; main()", "asked"]
    with subprocess.Popen(command, cwd=folder, env=warm, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        fork = int(client.stdout.readline())
        assert fork != client.pid
        # On a busy machine the fork speaks before its client listens to both; Python catches SIGINT from its beginning.
        while not _catches(client.pid, signal.SIGTERM):
            time.sleep(0.01)
        client.send_signal(number)
        assert client.wait(20) == status
    for _ in range(1000):
        if not Path(f"/proc/{fork}").exists():
            break
        time.sleep(0.01)
    assert not Path(f"/proc/{fork}").exists()


def test_forks_can_be_counted(folder: Path, warm: dict[str, str]) -> None:
    times = folder / "times.csv"
    ask(folder, {**warm, "DGR_TIMES": str(times)}, "0")
    seconds, module, arguments = times.read_text().strip().split(",")
    assert (module, arguments) == ("asked", "0")
    assert 0 <= float(seconds) < 60


STARTS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


def ended(*processes: int) -> bool:
    """Whether processes are gone, or only wait to be noticed by their parent."""
    for _ in range(3000):
        if not any(lives(process) for process in processes):
            return True
        time.sleep(0.01)
    return False


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("killed", ["client", "fork", "engine"])
def test_a_kill_takes_the_fork_and_what_it_started_along(folder: Path, killed: str) -> None:
    (folder / "asked.py").write_text(STARTS)
    address = folder / "place/warm"
    address.parent.mkdir()
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(address)], stdin=subprocess.PIPE, cwd=folder)
    while not address.exists():
        time.sleep(0.01)
    command = [sys.executable, "-c", "from dgr.plan.warm import main; main()", "asked"]
    environment = os.environ | {"DGR_WARM": str(address)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        fork, child = map(int, client.stdout.readline().split())
        assert lives(fork)
        assert lives(child)
        if killed == "engine":
            assert server.stdin is not None
            server.stdin.close()
        else:
            os.kill(client.pid if killed == "client" else fork, signal.SIGKILL)
        assert ended(fork, child)
        assert client.wait(60) != 0
    if killed != "engine":
        assert server.stdin is not None
        server.stdin.close()
    assert server.wait(60) == 0


SLEEPS = """
import time
from pathlib import Path

print("begun", flush=True)
while not Path("end").exists():
    time.sleep(0.02)
"""


@pytest.mark.parametrize("address", ["/nowhere", None])
def test_who_calls_dvc_is_seen_before_dvc_lists_itself(folder: Path, warm: dict[str, str], address: str | None) -> None:
    """A killed engine leaves such a process behind; the next engine and its own call of DVC wait for it."""
    (folder / "dvc.py").write_text(SLEEPS)
    command = [sys.executable, "-c", "from dgr.plan.warm import main; main()", "dvc", "repro", "a.yaml:train@a"]
    environment = warm | {"DGR_WARM": address or warm["DGR_WARM"], "PYTHONPATH": f"{folder}{os.pathsep}{SOURCE}"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "begun\n"
        (worker,) = stages_at_work(folder)
        assert str(worker).startswith(f"process {first.pid} (`dvc repro a.yaml:train@a`), since ")
        with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            assert f"waiting for process {first.pid} " in second.stderr.readline()
            (folder / "end").touch()
            assert first.wait(60) == second.wait(60) == 0
    assert stages_at_work(folder) == []
    assert not list((folder / LOCKS).glob("*@*"))
