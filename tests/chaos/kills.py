"""One kill: a command is ended at some moment, the same command follows, and all must be as if nothing had been."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from marked import end_all, gone, marked, processes_of, send
from trial_project import differences, environment, state

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
COMMANDS: dict[str, tuple[str, ...]] = {
    "dgr reproduce": ("python", "-m", "dgr", "reproduce", "mini", "--cores", "2"),
    "snakemake": ("snakemake", "--cores", "2"),
    "dvc repro": ("dvc", "repro"),
}
ROLES = {"dgr reproduce": ("stage", "dvc", "engine", "all"), "dvc repro": ("stage", "dvc", "all")}
ROLES["snakemake"] = ROLES["dgr reproduce"]
"""Who can be killed under which command."""
CUT_OFF = re.compile(r"dvc\.lock.*(corrupted|invalid|validation failed)")
"""What DVC says of a lock that it was killed in the middle of; the page says that Snakemake then has to be started."""
BY_DVC_ALONE = re.compile(r"\.dvc/(tmp/rwlock entries|cache/[0-9a-f]{2}/)")
"""What DVC alone leaves until Snakemake is started: entries of processes that have ended, and lists of files of outputs
that are missing in a lock which was cut off between two lines."""


@dataclass
class Outcome:
    """What came out of one kill.

    Attributes:
        role: who was killed.
        killed: how many processes got the signal; 0 where the command had ended before.
        seconds: from the kill to the end of the command that followed.
        wrong: what was not as it has to be, in sentences.
    """

    command: str
    role: str
    signal: str
    killed: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def kill_once(
    root: Path,
    command: str,
    role: str,
    number: signal.Signals,
    wanted: dict[str, str],
    delay: float,
    limit: float,
    words: Sequence[str] = (),
    beside: str = "",
) -> Outcome:
    """Start a command, end it, start it again, and compare.

    Args:
        root: the checkout, in which something is to be done.
        command: a name of :data:`COMMANDS`.
        role: see :func:`marked.processes_of`.
        number: the signal.
        wanted: the state of the undisturbed checkout.
        delay: seconds from the start after which whoever plays the part is killed.
        limit: seconds that the killed command may take to end, and the following one to finish; more is a hang.
        words: further words of the command.
        beside: another part that has to be played at that moment.
    """
    outcome, mark = Outcome(command, role, number.name), f"{time.time_ns()}"
    log = root.parent / f"{root.name}.log"
    first = _start(root, (*COMMANDS[command], *words), mark, log)
    try:
        outcome.killed = _kill(first, root, role, number, mark, delay, beside)
        begin = time.monotonic()
        outcome.wrong += _hang("the killed command", first, mark, limit)
        if not outcome.killed and not outcome.wrong:
            return outcome
        if not outcome.wrong:
            again = _start(root, (*COMMANDS[command], *words), mark, log)
            outcome.wrong += _hang("the same command again", again, mark, limit)
            if again.poll() and command == "dvc repro" and CUT_OFF.search(_end(log, 40)):
                outcome.command = "dvc repro, whose lock was cut off, so that snakemake followed"
                again = _start(root, COMMANDS["snakemake"], mark, log)
                outcome.wrong += _hang("snakemake", again, mark, limit)
            if again.poll():
                outcome.wrong.append(f"the same command again ended with {again.returncode}: {_end(log)}")
        outcome.seconds = time.monotonic() - begin
        if not gone(mark, 10):
            outcome.wrong.append(f"still there: {_names(mark)}")
        if not outcome.wrong:
            found = differences(wanted, state(root))
            outcome.wrong += [line for line in found if command != "dvc repro" or not BY_DVC_ALONE.match(line)]
    finally:
        end_all(mark)
        first.wait()
    return outcome


def drawn(draw: random.Random, commands: Sequence[str]) -> tuple[str, str, signal.Signals]:
    """A command, who is killed, and how."""
    command = draw.choice(commands)
    return command, draw.choice(ROLES[command]), draw.choice(SIGNALS)


def _start(root: Path, words: Sequence[str], mark: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        file.write(f"\n$ {' '.join(words)}\n".encode())
        file.flush()
        place = environment(root, mark)
        return subprocess.Popen(
            words,
            cwd=root,
            env=place,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )


def heed_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _kill(
    first: subprocess.Popen[bytes],
    root: Path,
    role: str,
    number: signal.Signals,
    mark: str,
    delay: float,
    beside: str,
) -> int:
    """Wait, and then until somebody plays the part."""
    end = time.monotonic() + delay
    while first.poll() is None:
        ready = time.monotonic() > end and (not beside or processes_of(beside, root, mark))
        if ready and (victims := processes_of(role, root, mark)):
            return send(victims, number)
        time.sleep(0.02)
    return 0


def _hang(what: str, process: subprocess.Popen[bytes], mark: str, limit: float) -> list[str]:
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        return [f"{what} hangs after {limit:.0f} s: {_names(mark)}"]
    return []


def _names(mark: str) -> str:
    return "; ".join(f"{process} {does[:120]}" for process, does in marked(mark).items())


def _end(log: Path, lines: int = 6) -> str:
    return " / ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
