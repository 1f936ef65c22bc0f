"""Snakemake's events as one line a finished step: a logger plugin, which :mod:`dgr.terminal.reproducing` registers."""

import logging
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake.logging import LogEvent, LogHandlerBase, LogHandlerSettingsBase

from dgr.core.paths import CONFIGS, DEFAULT_SUITE
from dgr.plan.graph import suite_stages
from dgr.plan.suites import find_suite
from dgr.terminal.committed_times import committed_seconds
from dgr.terminal.step_words import step_entry, step_words
from dgr.terminal.time_left import TimeLeft
from dgr.terminal.words import duration, log_end, rough

_LONG = ("fetch", "prepare_fetched", "tune", "match", "train", "train_tuned", "probe", "baselines", "sweep")
SLOW = frozenset((*_LONG, "cost", "embed", "study"))
"""Stages of which nothing is known before one is done."""
RED, DIM, PLAIN, CLEAR = "\033[31m", "\033[2m", "\033[0m", "\r\033[K"


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):  # type: ignore[misc]  # Snakemake ships no types
    """What ``--logger-steps-…`` says."""

    suite: str = field(default=DEFAULT_SUITE, metadata={"help": "the suite or quick look that is made"})


class LogHandler(LogHandlerBase):  # type: ignore[misc]
    """One line a finished step on standard output, a failed one with its log's end on standard error.

    In a terminal a last line says what is going on; elsewhere there is neither colour nor carriage return.
    """

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.out, self.err = sys.stdout, sys.stderr
        self.terminal = self.out.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.terminal and "NO_COLOR" not in os.environ and not self.common_settings.nocolor
        self.total = self.done = 0
        self.width = 1
        self.jobs: dict[int, tuple[str, dict[str, str]]] = {}
        self.left: TimeLeft | None = None
        self.over = threading.Event()
        if self.terminal:
            threading.Thread(target=self._tick, daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take one of Snakemake's events, and print what it is worth."""
        try:
            self._take(record, getattr(record, "event", None))
            self._status(record.created)
        except Exception:  # as every handler of Python's does: a line that cannot be printed stops no run
            self.handleError(record)

    def close(self) -> None:
        """End the last line."""
        self.over.set()
        self._print(end="")
        super().close()

    def _take(self, record: Any, event: Any) -> None:
        match event:
            case LogEvent.RESOURCES_INFO:
                self.width = getattr(record, "cores", None) or getattr(record, "nodes", None) or self.width
            case LogEvent.RUN_INFO:
                self._plan(dict(record.stats), record.created)
            case LogEvent.JOB_INFO:
                self.jobs[record.jobid] = record.rule_name, dict(record.wildcards or {})
                if self.left:
                    self.left.begin(self._step(record.jobid), record.created)
            case LogEvent.JOB_FINISHED:
                self._finished(record.job_id, record.created)
            case LogEvent.JOB_ERROR:
                self._failed(record)
            case _ if record.levelno >= logging.WARNING and record.getMessage() not in ("", "None"):
                self._print(record.getMessage(), file=self.err)

    def _plan(self, stats: dict[str, int], now: float) -> None:
        self.total = stats.pop("total")
        suite = find_suite(self.settings.suite, CONFIGS)
        self.stages = suite_stages(suite.name)
        known = committed_seconds(suite, self.stages)
        self.left = TimeLeft(stats, known, self.width, SLOW, now)
        self._print(f"Suite {suite.name}: {self.total} steps to do, {self.width} at a time{self._time_left(now)}")

    def _finished(self, job: int, now: float) -> None:
        self.done += 1
        if self.left is None or job not in self.jobs:
            return
        seconds = self.left.end(self._step(job), now)
        times = f"{duration(seconds)}{self._time_left(now)}"
        self._print(f"{self._count()} {self._words(job)[0]}  {self._in(DIM, times)}")

    def _failed(self, record: Any) -> None:
        if self.left is None or record.jobid not in self.jobs:
            return
        self.left.drop(self._step(record.jobid))
        self._print(self._in(RED, f"{self._count()} FAILED {self._words(record.jobid)[1]}"), file=self.err)
        for log in record.log:
            self._print(log_end(Path(log)), file=self.err)

    def _step(self, job: int) -> tuple[str, str]:
        rule, wildcards = self.jobs[job]
        return rule, step_entry(rule, self.stages, wildcards)[0]

    def _words(self, job: int) -> tuple[str, str]:
        rule, wildcards = self.jobs[job]
        return step_words(rule, self.stages, wildcards)

    def _count(self) -> str:
        return f"[{self.done:{len(str(self.total))}}/{self.total}]"

    def _time_left(self, now: float) -> str:
        assert self.left is not None
        if self.done == self.total:
            return ""
        seconds, is_all = self.left.seconds(now)
        if seconds < 60:
            return " · less than a minute left" if is_all else ""
        return f" · {'about' if is_all else 'more than'} {rough(seconds)} left"

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self.colour else text

    def _print(self, *text: str, end: str = "\n", file: Any = None) -> None:
        if self.terminal:
            print(CLEAR, end="", file=self.out, flush=True)
        print(*text, end=end, file=file or self.out, flush=True)

    def _tick(self) -> None:
        while not self.over.wait(1.0):
            with self.lock:
                self._status(time.time())

    def _status(self, now: float) -> None:
        """The last line, in a terminal: what goes on, the longest first, and since when."""
        if not self.terminal or self.left is None or not self.left.running or self.over.is_set():
            return
        names = {self._step(job): self._words(job)[1] for job in self.jobs}
        told = [f"{names[step]} {duration(now - since)}" for step, since in self.left.running.items()]
        line = f"{self._count()} {'; '.join(told)}{self._time_left(now)}"
        columns = os.get_terminal_size(self.out.fileno()).columns or 80
        print(f"{CLEAR}{self._in(DIM, line[: columns - 1])}", end="", file=self.out, flush=True)
