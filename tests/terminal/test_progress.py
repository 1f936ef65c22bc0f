"""Snakemake's events as lines, with a terminal and without, and steps in words."""

import io
import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.logging import LogEvent

from dgr.core.paths import CONFIGS
from dgr.plan.graph import suite_stages
from dgr.plan.suites import find_suites
from dgr.terminal import progress
from dgr.terminal.step_words import WORDS, step_words
from dgr.terminal.words import duration, log_end, rough

EW = "mini-multimnist-conv-equal_weighting-none"


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        return 1


@pytest.fixture
def stages(monkeypatch):
    """Those of the suite mini as the repository has them."""
    monkeypatch.chdir(Path(__file__).parents[2])
    return suite_stages("mini")


@pytest.fixture
def handler(monkeypatch, stages, request):
    """A handler whose output is a terminal or not, and what it printed."""
    out = Terminal() if request.param else io.StringIO()
    err = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(progress.os, "get_terminal_size", lambda _: SimpleNamespace(columns=100))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    made = progress.LogHandler(SimpleNamespace(nocolor=False), progress.LogHandlerSettings("mini"))
    yield made, out, err
    made.close()


def tell(handler, event, seconds=0.0, level=logging.INFO, message="", **facts):
    record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    record.__dict__ |= facts | {"event": event, "created": 1000.0 + seconds}
    handler.handle(record)


def run_two_steps(handler):
    tell(handler, LogEvent.RESOURCES_INFO, cores=2)
    tell(handler, LogEvent.RUN_INFO, stats={"train_tuned": 1, "collect": 1, "total": 2})
    tell(handler, None, message="Building DAG of jobs...")
    tell(handler, LogEvent.JOB_INFO, jobid=7, rule_name="train_tuned", wildcards={"key": EW})
    tell(handler, LogEvent.JOB_FINISHED, 41.0, job_id=7)
    tell(handler, LogEvent.JOB_INFO, 41.0, jobid=3, rule_name="collect", wildcards={"suite": "mini"})
    tell(handler, LogEvent.JOB_FINISHED, 42.0, job_id=3)


@pytest.mark.parametrize("handler", [False], indirect=True)
def test_without_a_terminal_each_finished_step_is_one_plain_line(handler):
    handler, out, err = handler
    run_two_steps(handler)
    first, trained, collected = out.getvalue().splitlines()
    assert re.fullmatch(r"Suite mini: 2 steps to do, 2 at a time( · .* left)?", first)
    assert trained == "[1/2] trained EW on multimnist, conv (20 seeds)  41 s · less than a minute left"
    assert collected == "[2/2] collected the records  1 s"
    assert not {"\r", "\033"} & set(out.getvalue())
    assert err.getvalue() == ""


@pytest.mark.parametrize("handler", [True], indirect=True)
def test_in_a_terminal_the_last_line_says_what_goes_on(handler):
    handler, out, _ = handler
    tell(handler, LogEvent.RUN_INFO, stats={"train_tuned": 1, "total": 1})
    tell(handler, LogEvent.JOB_INFO, jobid=7, rule_name="train_tuned", wildcards={"key": EW})
    tell(handler, None, 5.0, message="Select jobs to execute...")
    assert "[0/1] training EW on multimnist, conv (20 seeds) 5 s" in out.getvalue().rpartition(progress.CLEAR)[2]
    tell(handler, LogEvent.JOB_FINISHED, 41.0, job_id=7)
    assert f"trained EW on multimnist, conv (20 seeds)  {progress.DIM}41 s{progress.PLAIN}\n" in out.getvalue()
    assert (
        max(map(len, out.getvalue().replace("\r", "\n").splitlines())) <= 100 + len(progress.DIM + progress.PLAIN) + 3
    )


@pytest.mark.parametrize("handler", [False, True], indirect=True)
def test_a_failed_step_shows_the_end_of_its_log(handler, tmp_path):
    handler, out, err = handler
    log = tmp_path / "x.log"
    log.write_text("".join(f"line {n}\n" for n in range(100)) + "dgr: This method is broken.\n")
    tell(handler, LogEvent.RUN_INFO, stats={"train_tuned": 1, "total": 1})
    tell(handler, LogEvent.JOB_INFO, jobid=7, rule_name="train_tuned", wildcards={"key": EW})
    tell(handler, LogEvent.JOB_ERROR, 9.0, logging.ERROR, jobid=7, rule_name="train_tuned", log=[str(log)])
    tell(handler, None, 9.0, logging.ERROR, message="Exiting because a job execution failed.")
    shown = err.getvalue()
    assert "[0/1] FAILED training EW on multimnist, conv (20 seeds)" in shown
    assert "| dgr: This method is broken." in shown
    assert "| line 99" in shown
    assert "| line 10\n" not in shown
    assert str(log) in shown
    assert "Exiting because a job execution failed." in shown
    assert ("\033[31m" in shown) == out.isatty()


def test_every_stage_of_every_suite_has_words(stages):
    for suite in find_suites(CONFIGS):
        of_suite = suite_stages(suite.name)
        for name, stage in of_suite.items():
            assert name in WORDS, name
            for key in list(stage.entries)[:3]:
                named = {"suite": suite.name, "name": key.removeprefix(f"{suite.name}-")}
                by_name = "name" in stage.entries[key] and name in ("table", "figure", "study", "study_report")
                done, doing = step_words(name, of_suite, named if by_name else {"key": key})
                assert done
                assert "{" not in done + doing


def test_words_say_method_regularizer_and_place(stages):
    key = EW.replace("none", "dgr")
    assert step_words("probe", stages, {"key": key}) == (
        "probed EW + DGR on multimnist, conv",
        "probing EW + DGR on multimnist, conv",
    )
    assert step_words("table", stages, {"suite": "mini", "name": "T1"})[0] == "made table T1"


def test_times_are_written_as_people_read_them():
    assert [duration(s) for s in (0.4, 41, 99.4, 200, 4320)] == ["0 s", "41 s", "99 s", "3 min 20 s", "1 h 12 min"]
    assert [rough(s) for s in (60, 400, 5000, 7200)] == ["1 min", "7 min", "83 min", "2.0 h"]


def test_a_log_that_is_not_there_is_told(tmp_path):
    assert "left no log" in log_end(tmp_path / "no.log")
