"""The warm process of :mod:`dgr.plan.warm`: ``python -m dgr.plan.warm_server ADDRESS``.

A fork leads a group of its own, of which all that it starts is a part. The group ends with the fork, the fork with its
client, and all with the process that started this one: nobody is left who would write what nobody records.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from dgr.core.numerics import make_portable
from dgr.plan.warm import FORK, interpreter, run_module

TIMES = "DGR_TIMES"
"""The environment variable with a CSV file to which each fork adds its processor seconds, module and arguments."""
LIBRARIES = (
    (
        *("dvc.cli", "dvc.commands.repro", "dvc.repo.open_repo", "dvc.stage.serialize", "dvc.scm", "dvc.lock"),
        *("dvc.dirs", "dvc.data_cloud", "dvc.cachemgr", "dvc.repo.datasets", "dvc.repo.plots", "dvc.utils.strictyaml"),
        *("dvc.rwlock", "dvc.parsing.context", "ruamel.yaml", "yaml"),
    ),
    (
        *("typer._adapters", "pydantic.fields", "numpy", "torch", "pandas", "scipy.stats", "scipy.optimize"),
        *("matplotlib.pyplot", "seaborn", "sklearn.ensemble", "sklearn.linear_model", "sklearn.manifold"),
        *("sklearn.neighbors", "sklearn.svm"),
        # A process that is told to be deterministic loads torch's compiler, which takes more than a second.
        "torch._inductor",
        "dgr.core.metrics",  # read anew by a fork, which has what it loads: torchmetrics, and torchvision where it is
    ),
)
"""Those of the first command, which is DVC's, and those that all later ones find as well."""


def serve(address: str) -> None:
    """Answer until standard input ends, as it does with the process that started this one; then end all forks.

    The libraries are imported when somebody asks: where nothing is to be done that is DVC alone, once.
    """
    make_portable()
    groups = iter(LIBRARIES)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    ended, noted = socket.socketpair()
    noted.setblocking(False)
    signal.set_wakeup_fd(noted.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    forks: set[int] = set()
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
        listener.bind(address)
        listener.listen(1024)
        for readable in (listener, sys.stdin, ended):
            selector.register(readable, selectors.EVENT_READ)
        try:
            while sys.stdin not in (ready := [key.fileobj for key, _ in selector.select()]):
                if ended in ready:
                    ended.recv(4096)
                    _clear_up_after(forks)
                if listener not in ready:
                    continue
                _import_libraries(next(groups, ()))
                # A fork has one thread, and what other threads held would stay locked in it.
                if len(list(Path("/proc/self/task").iterdir())) > 1:
                    return
                connection, _ = listener.accept()
                if not (fork := os.fork()):
                    listener.close()
                    _be_a_fork(connection)
                with contextlib.suppress(OSError):  # it may have done so itself, and even have ended
                    os.setpgid(fork, fork)
                forks.add(fork)
                connection.close()
        finally:
            signal.set_wakeup_fd(-1)
            for fork in forks:
                _kill_group(fork)
            Path(address).unlink()
            Path(address).parent.rmdir()


def _import_libraries(names: tuple[str, ...]) -> None:
    """What they leave in memory stays for ever: no garbage collection need look through it, here or in a fork."""
    gc.disable()
    for name in names:
        import_module(name)
    gc.freeze()
    gc.enable()


def _clear_up_after(forks: set[int]) -> None:
    """End what the forks that have ended had started: a killed DVC leaves its stage behind."""
    for fork in list(forks):
        # Its number stays its own until it is waited for.
        if os.waitid(os.P_PID, fork, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            _kill_group(fork)
            os.waitpid(fork, 0)
            forks.remove(fork)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _end_with(connection: socket.socket) -> None:
    """End this fork and all that it started when its client ends, since nobody would learn what comes out."""
    with contextlib.suppress(OSError):
        connection.recv(1)
    _kill_group(os.getpid())


def _be_a_fork(connection: socket.socket) -> NoReturn:
    status = 1
    try:
        os.setpgid(0, 0)
        status = _child(connection)
    finally:
        os._exit(status)  # nothing of the server's own end is this one's to do


def _child(connection: socket.socket) -> int:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rwb") as stream:
        request = json.loads(stream.readline())
        if request["interpreter"] != interpreter():
            return 1
        stream.write(b"%d\n" % os.getpid())
        stream.flush()
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        for place, file in enumerate(files):
            os.dup2(file, place)
            os.close(file)
        status = _run(request)
        stream.write(b"%d\n" % status)
    return 0


def _run(request: dict[str, Any]) -> int:
    os.chdir(request["folder"])
    sys.path[:] = request["path"]
    os.environ.clear()
    os.environ.update(request["environment"], **{FORK: str(os.getpid())})
    status: Any = 0
    try:
        run_module(request["module"], request["arguments"])
    except SystemExit as ended:
        status = ended.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    if isinstance(status, str):
        print(status, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    if times := request["environment"].get(TIMES):
        with Path(times).open("a", encoding="utf-8") as file:
            file.write(f"{time.process_time():.3f},{request['module']},{' '.join(request['arguments'])}\n")
    return status if isinstance(status, int) else int(status is not None)


if __name__ == "__main__":
    serve(sys.argv[1])
