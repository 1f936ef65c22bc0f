"""Commands that run beside each other until the time is over, and a folder that is worth keeping at any moment."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

ENDING = 8.0
"""Seconds that are kept for ending processes and copying records."""
PATIENCE = 2.0
"""Seconds that a process has to end by itself."""


@dataclass
class Part:
    """One command of a session, and what became of it: waiting, running, done, failed or cut."""

    name: str
    command: list[str]
    after: str = ""
    state: str = "waiting"
    seconds: float = 0.0


class Session:
    """Runs parts until the time is over and keeps FOLDER worth keeping."""

    def __init__(self, out: Path, seconds: float, about: dict[str, object], keep: Callable[[Part], None]) -> None:
        self.out, self.end, self.about = out, time.monotonic() + seconds - ENDING, about
        self.keep, self.parts = keep, list[Part]()
        self.running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
        (out / "logs").mkdir(parents=True, exist_ok=True)

    @property
    def left(self) -> float:
        return self.end - time.monotonic()

    def write(self) -> None:
        told = self.about | {
            "seconds_left": round(self.left + ENDING, 1),
            "parts": [{key: value for key, value in asdict(part).items() if key != "command"} for part in self.parts],
        }
        temporary = self.out / "session.json.part"
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self.out / "session.json")

    def run(self, parts: list[Part], slots: int = 1, seconds: float = float("inf")) -> None:
        """Run parts beside each other, each after the one it needs; when the seconds are over, cut what is left."""
        self.parts += parts
        until = min(self.end, time.monotonic() + seconds)
        while time.monotonic() < until:
            self._look(parts)
            done = {part.name for part in self.parts if part.state == "done"}
            ready = [part for part in parts if part.state == "waiting" and part.after in ("", *done)]
            for part in ready[: slots - len(self.running)]:
                self._start(part)
            if not self.running:
                break
            time.sleep(0.1)
        self.cut()
        self.write()

    def _start(self, part: Part) -> None:
        with (self.out / "logs" / f"{part.name}.log").open("wb") as log:
            # A session of its own, so that what it starts ends with it.
            process = subprocess.Popen(part.command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        part.state, self.running[part.name] = "running", (process, time.monotonic())
        self.write()

    def _look(self, parts: list[Part]) -> None:
        for part in parts:
            if part.state == "running" and (status := self.running[part.name][0].poll()) is not None:
                self._settle(part, "failed" if status else "done")

    def cut(self) -> None:
        """End all that runs, together, so that many take no longer than one."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            alive = [process for process, _ in self.running.values() if process.poll() is None]
            for process in alive:
                os.killpg(process.pid, number)
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and any(process.poll() is None for process in alive):
                time.sleep(0.05)
        for part in self.parts:
            if part.state == "running":
                self._settle(part, "cut")

    def _settle(self, part: Part, state: str) -> None:
        _, start = self.running.pop(part.name)
        part.state, part.seconds = state, round(time.monotonic() - start, 1)
        print(f"{part.state:7} {part.seconds:7.1f} s  {part.name}", flush=True)
        self.keep(part)
        self.write()
