"""Commands that tests run often, as forks of a process that has imported what takes them a second or more to import."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

from dgr.plan.warm import Warm, interpreter


class _Engines(Warm):
    """A warm process that knows Snakemake as well."""

    def __post_init__(self) -> None:
        command = (sys.executable, str(Path(__file__).with_name("engines_server.py")), self.address)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)
        while not Path(self.address).exists():
            assert self._process.poll() is None
            time.sleep(0.01)


def warm() -> Warm:
    """One warm process for all of this worker's tests, also where threads ask for the first."""
    with _ASKED:
        return _made()


@cache
def _made() -> Warm:
    return _Engines()


_ASKED = Lock()


def forked(
    module: str, arguments: list[str], folder: Path, environment: dict[str, str], seconds: int = 600
) -> subprocess.CompletedProcess[str]:
    """What ``python -m module arguments`` prints in a folder, standard output and error together.

    Args:
        environment: whose ``PYTHONPATH`` is where modules are looked for before the installed ones.

    Raises:
        TimeoutError: it did not end in so many seconds.
    """
    installed = [path for path in sys.path if path.startswith((sys.prefix, sys.base_prefix))]
    path = [str(folder), *environment["PYTHONPATH"].split(os.pathsep), *installed]
    request = {"module": module, "arguments": arguments, "folder": str(folder), "path": path}
    request |= {"environment": environment, "interpreter": interpreter()}
    with (
        TemporaryFile() as said,
        Path(os.devnull).open() as nothing,
        socket.socket(socket.AF_UNIX) as connection,
        connection.makefile("rwb") as stream,
    ):
        connection.settimeout(seconds)
        connection.connect(warm().address)
        socket.send_fds(connection, [b"\n"], [nothing.fileno(), said.fileno(), said.fileno()])
        stream.write(json.dumps(request).encode() + b"\n")
        stream.flush()
        assert int(stream.readline()), "it did not answer"
        status = int(stream.readline() or 1)
        said.seek(0)
        return subprocess.CompletedProcess([module, *arguments], status, said.read().decode("utf-8"))


def several(commands: Iterable[tuple[Path, str]], root: Path) -> subprocess.CompletedProcess[str]:
    """What commands of ``dgr``, each in its folder, print one after the other in one process, by the code in root."""
    lines = [f"{shlex.quote(str(folder))} {command}" for folder, command in commands]
    return forked("several", lines, root, code_of(root))


def code_of(root: Path) -> dict[str, str]:
    """The environment in which a fork finds the code below root, and what supports these tests."""
    places = (root / "src", Path(__file__).parent)
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places)), "OMP_NUM_THREADS": "1"}
