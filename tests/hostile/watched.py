"""What must hold whatever a file says: a result or one sentence, in bounded time and memory, and nothing else done.

Bounds are those that docs/reliability.md states. Time is the processor's, so that a busy machine fails no case; whoever
waits, as for a pipe, is stopped by the clock.
"""

from __future__ import annotations

import faulthandler
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from dgr.core.errors import LONGEST_SENTENCE, DGRError

SECONDS, WAITED = 10.0, 120.0
"""Of computing, and on the clock."""
MEGABYTES = 256
"""Beyond what the process had before."""
FARTHEST = 4 * 2**30
"""Of address space, so that a fault is an error here and does not stop the machine."""
ADVICE = re.compile(r"pickle|weights_only|trust|traceback|errno|<[a-z_.]+ object", re.IGNORECASE)
"""What no sentence may quote: a library's advice to open a file in a less safe way, or its insides."""
WAY_OUT = re.compile(r"; |should|must|required|as an?|valid|expected|needs|run `|known: |did you mean|wants?\b|\bbut\b")
EVENTS = {"pickle.find_class", "os.system", "subprocess.Popen", "socket.connect", "os.exec", "os.posix_spawn"}
WRITES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "os.truncate"}


class Outcome(NamedTuple):
    """Of one case."""

    kind: str
    used: bool
    seconds: float
    megabytes: float


OUTCOMES: list[Outcome] = []
"""Of all cases of this process: what the campaign counts."""


class TookTooLong(BaseException):
    """No Exception, which readers of damaged files turn into a sentence."""


class _Guard:
    """What is done while a case is read; an audit hook stays for ever, and looks only then."""

    def __init__(self) -> None:
        self.place: Path | None = None
        self.done: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if self.place is None:
            return
        if event in EVENTS:
            self.done.append(f"{event} {args!r:.200}")
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (writes or event in WRITES) and isinstance(args[0], str | bytes | os.PathLike):
            path = Path(os.path.realpath(os.fsdecode(args[0])))  # through links and ..
            if self.place not in path.parents and path != Path(os.devnull):
                self.done.append(f"{event} {path}")


_GUARD = _Guard()


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """An empty working directory for one case."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="dgr-hostile-") as name:
        os.chdir(name)
        try:
            yield Path(name).resolve()
        finally:
            os.chdir(before)


def answer(kind: str, read: Callable[[], object], *names: str) -> str:
    """Let something be read below the working directory, and hold what is done against what may be.

    Args:
        kind: of input, for the counts.
        read: the call.
        names: of the files that it reads; a sentence has to hold one of them.

    Returns:
        The sentence of a refusal; empty where the input was used.
    """
    message, refused = "", None
    _reset_peak()
    start, begin = _memory("VmRSS"), time.process_time()
    with _bounded():
        try:
            read()
        except DGRError as error:
            message, refused = str(error), error
    assert not _out_of_memory(refused), f"{kind}: it asked for more than {FARTHEST:,} bytes: {message}"
    if message:
        _check_sentence(message, names)
    seconds, megabytes = time.process_time() - begin, (_memory("VmHWM") - start) / 1024
    assert not _GUARD.done, f"{kind}: while it was read: {'; '.join(_GUARD.done)}"
    assert megabytes <= MEGABYTES, f"{kind}: it took {megabytes:.0f} MB"
    OUTCOMES.append(Outcome(kind, not message, seconds, megabytes))
    return message


def _check_sentence(message: str, names: tuple[str, ...]) -> None:
    assert message.isprintable(), f"not one line: {message!r}"
    assert len(message) <= LONGEST_SENTENCE, f"{len(message):,} characters: {message[:LONGEST_SENTENCE]}"
    assert message.endswith((".", "?")), f"no full stop: {message}"
    assert not ADVICE.search(message), f"a library's own words: {message}"
    assert any(name in message for name in names), f"none of {names} is named: {message}"
    assert WAY_OUT.search(message), f"no way out: {message}"


def _out_of_memory(error: BaseException | None) -> bool:
    return error is not None and (isinstance(error, MemoryError) or _out_of_memory(error.__cause__))


@contextmanager
def _bounded() -> Iterator[None]:
    """Too long, or too much memory, raises; a call that cannot be interrupted ends the process, and says where."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    usual = [(number, signal.signal(number, _raise)) for number in (signal.SIGPROF, signal.SIGALRM)]
    resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") * 1024 + FARTHEST, hard))
    faulthandler.dump_traceback_later(2 * WAITED, exit=True, file=sys.__stderr__)
    # Again each second, since what is raised in a destructor is lost.
    signal.setitimer(signal.ITIMER_PROF, SECONDS, 1)
    signal.setitimer(signal.ITIMER_REAL, WAITED, 1)
    _GUARD.place, _GUARD.done = Path.cwd(), []
    try:
        yield
    finally:
        _GUARD.place = None
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        for number, before in usual:
            signal.signal(number, before)
        sys.dont_write_bytecode = bytecode


def _raise(*_: object) -> None:
    raise TookTooLong(f"it took more than {SECONDS:g} s of computing, or waited for {WAITED:g} s")


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(what: str) -> int:
    """Kilobytes."""
    return int(re.search(rf"{what}:\s+(\d+)", Path("/proc/self/status").read_text())[1])
