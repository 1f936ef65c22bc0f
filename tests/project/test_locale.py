import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dgr.core.paths import CONFIGS, PLAN

DGR = "mini-multimnist-conv-equal_weighting-dgr"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("arguments", [["plan"], ["plan", "--check"]])
def test_files_are_utf8_in_every_locale(project: Path, arguments: list[str]) -> None:
    """A C locale without Python's own mending, in which text is ASCII unless a program says otherwise."""
    path = CONFIGS / "mini/T1.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# 64×64, λ\n", encoding="utf-8")
    before = PLAN.read_bytes()
    subprocess.run([sys.executable, "-m", "dgr", *arguments], env=os.environ | ASCII, check=True)
    assert PLAN.read_bytes() == before


def test_a_sign_that_the_log_does_not_know_stops_no_training(project: Path, command: Callable[..., str | None]) -> None:
    """A training tells each seed that is finished, in a process that knows ASCII alone."""
    assert command("tune", DGR) is None
    train = [sys.executable, "-m", "dgr", "train", DGR]
    done = subprocess.run(train, env=os.environ | ASCII, capture_output=True, text=True, check=True)
    assert "seed 0: trained in" in done.stdout
