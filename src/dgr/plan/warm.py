"""A warm process for the engines: what takes seconds to import is imported once, and each command is a fork of it.

``python -m dgr.plan.warm MODULE …`` is ``python -m MODULE …``, in a fork of the warm process where there is one, and in
this process otherwise. A fork has libraries but none of this project's modules, so that it runs the files as they are.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ADDRESS = "DGR_WARM"
"""The environment variable with the warm process's socket."""
SERVER = "dgr.plan.warm_server"
"""The module that is the warm process."""
FORK = "DGR_WARM_FORK"
"""The environment variable with the number of the process that is a fork already; its children ask again."""


@dataclass
class Warm:
    """A warm process, which ends when this one does, or at :meth:`stop`.

    Attributes:
        address: for :data:`ADDRESS` in the environment of whoever is to use it.
    """

    address: str = field(default_factory=lambda: str(Path(tempfile.mkdtemp(prefix="dgr-")) / "warm"))

    def __post_init__(self) -> None:
        command = (sys.executable, "-m", SERVER, self.address)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def stop(self) -> None:
        """End it, and its forks with it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def keep_warm() -> None:
    """Start a warm process for all children of this one, unless there is one already; on Linux alone.

    On macOS a process that has loaded numeric libraries cannot be forked safely.
    """
    if ADDRESS not in os.environ and sys.platform == "linux":
        _kept.append(Warm())
        os.environ[ADDRESS] = _kept[0].address


_kept: list[Warm] = []


def run_warm(module: str, arguments: list[str]) -> int | None:
    """Run ``python -m module arguments`` as a fork of the warm process, with this one's files, folder and environment.

    Returns:
        Its exit status; None where no warm process answers, or one of another interpreter.
    """
    request: dict[str, Any] = {"module": module, "arguments": arguments, "folder": str(Path.cwd()), "path": sys.path}
    request |= {"environment": dict(os.environ), "interpreter": interpreter()}
    if os.environ.get(FORK) == str(os.getpid()):
        return None
    try:
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb") as stream:
            connection.connect(os.environ[ADDRESS])
            socket.send_fds(connection, [b"\n"], [0, 1, 2])
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            if not (child := int(stream.readline() or 0)):
                return None
            for passed_on in (signal.SIGINT, signal.SIGTERM):
                signal.signal(passed_on, lambda number, _: os.killpg(child, number))
            return int(stream.readline() or 128 + signal.SIGKILL)
    except (KeyError, OSError):
        return None


def run_module(module: str, arguments: list[str]) -> None:
    """Do what ``python -m module arguments`` does, with this project's modules read anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "dgr"]:
        del sys.modules[name]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def interpreter() -> list[str]:
    """What must be the same for a fork to be the process that it stands for."""
    flags = (f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("PYTHON"))
    return [sys.executable, sys.version, *(flag for flag in flags if not flag.startswith("PYTHONPATH="))]


def main() -> None:
    """``python -m dgr.plan.warm MODULE …``.

    Who calls DVC holds that command meanwhile. If the engine is killed before DVC has entered itself into its list of
    those at work, which takes seconds, the next engine sees it all the same, and waits.
    """
    module, *arguments = sys.argv[1:]
    with _held(module, arguments) if module == "dvc" else nullcontext():
        if (done := run_warm(module, arguments)) is None:
            run_module(module, arguments)
        else:
            sys.exit(done)


@contextmanager
def _held(module: str, arguments: list[str]) -> Iterator[None]:
    from dgr.plan.checkout.at_work import release, wait_for  # not on Windows, where this module can be imported

    try:
        file = wait_for(f"{module}@{arguments[-1]}", [module, *arguments])
    except OSError:  # a full disk, of which DVC itself tells
        yield
        return
    try:
        yield
    finally:
        release(file)


if __name__ == "__main__":
    main()
