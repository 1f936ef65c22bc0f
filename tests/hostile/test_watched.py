"""The watch notices what no case may do; a watch that sees nothing would find nothing wrong."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import watched
from arrays import PICKLED
from project_support import ROOT
from watched import TookTooLong, answer, fresh_folder

from dgr.core.errors import DGRError


def refuses(message: str) -> Callable[[], None]:
    """A reader that raises it, whatever :class:`DGRError` itself makes of it."""

    def read() -> None:
        error = DGRError("x")
        error.args = (message,)
        raise error

    return read


OUTSIDE = f"dgr-outside-{os.getpid()}"


@pytest.fixture(autouse=True)
def uncounted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watched, "OUTCOMES", [])
    monkeypatch.setattr(watched, "SECONDS", 2.0)
    monkeypatch.setattr(watched, "WAITED", 5.0)
    yield
    with suppress(FileNotFoundError):
        Path(tempfile.gettempdir(), OUTSIDE).rmdir()
    Path(tempfile.gettempdir(), f"{OUTSIDE}.txt").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (refuses("a.yaml is wrong;\ncorrect it."), "not one line"),
        (refuses("a.yaml \x1b[31m is wrong; correct it."), "not one line"),
        (refuses("a.yaml is wrong; correct it"), "no full stop"),
        (refuses("It is wrong; correct it."), "is named"),
        (refuses("a.yaml is wrong."), "no way out"),
        (refuses("a.yaml is wrong; set allow_pickle=True."), "own words"),
        (refuses(f"a.yaml {'x' * 5000}; correct it."), "characters"),
        (lambda: np.ones(2**26), "it took"),
        (lambda: pickle.loads(PICKLED), "pickle.find_class"),
        (lambda: Path("..", OUTSIDE).mkdir(), "os.mkdir"),
        (lambda: Path("..", f"{OUTSIDE}.txt").write_text("x"), "open"),
        (lambda: subprocess.run([sys.executable, "--version"], check=True, capture_output=True), "subprocess"),
    ],
)
def test_what_no_case_may_do_is_noticed(read: Callable[[], object], told: str) -> None:
    with fresh_folder(), pytest.raises(AssertionError, match=told):
        answer("x", read, "a.yaml")


@pytest.mark.parametrize("read", [lambda: time.sleep(60), lambda: [None for _ in iter(int, 1)]])
def test_who_waits_or_computes_for_long_is_stopped(read: Callable[[], object]) -> None:
    with fresh_folder(), pytest.raises(TookTooLong):
        answer("x", lambda: [read() for _ in range(1)], "a.yaml")


def test_another_error_is_none_that_a_user_can_mend() -> None:
    with fresh_folder(), pytest.raises(KeyError):
        answer("x", lambda: {}["a"], "a.yaml")


def test_the_campaign_itself_tries_and_counts() -> None:
    """It starts pytest from within Python, which a plain test does not."""
    campaign = [sys.executable, str(Path(__file__).with_name("campaign.py")), "--dry", "--times", "1"]
    path = os.pathsep.join([*(str(ROOT / "tests" / part) for part in ("support", "chaos")), str(ROOT / "src")])
    done = subprocess.run(
        [*campaign, "test_checkpoints.py"], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert not done.returncode, done.stdout + done.stderr
    count = re.search(r"^(\d+) cases, (\d+) used; at most \d+ MB\.$", done.stdout, re.MULTILINE)
    assert count
    assert int(count[1]) > int(count[2]) > 0
