"""Stages share a GPU as long as they fit; the GPUs are made up."""

import subprocess
import sys
import time

import pytest

from dgr.core import gpu_claims
from dgr.core.gpu_claims import Gpu, claim

GPUS = [Gpu("GPU-one", 100), Gpu("GPU-two", 100)]


@pytest.fixture(autouse=True)
def nothing_claimed(monkeypatch):
    own = []
    monkeypatch.setattr(gpu_claims, "_own", own)
    monkeypatch.setattr(gpu_claims, "PAUSE", 0.05)
    yield
    for each in own:
        each.file.close()


class Other:
    """Another process with a claim, until it is told to end."""

    def __init__(self, folder, needed, gpus=GPUS, free=100):
        script = (
            "import sys; from pathlib import Path; from dgr.core import gpu_claims as g; g.PAUSE = 0.05;"
            f"print(g.claim([g.Gpu(*x) for x in {[tuple(gpu) for gpu in gpus]}], {needed}, lambda i: {free},"
            f" Path({str(folder)!r})), flush=True); input()"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def gpu(self):
        return int(self.process.stdout.readline())

    def end(self):
        self.process.communicate("\n")


def test_stages_spread_over_gpus_and_share_one_while_they_fit(tmp_path):
    others = []
    for expected in (0, 1, 0, 1):
        others.append(Other(tmp_path, 40))
        assert others[-1].gpu() == expected
    for other in others:
        other.end()
    assert claim(GPUS, 40, lambda index: 100, tmp_path) == 0
    assert len([path for path in tmp_path.iterdir() if path.name != "lock"]) == 1, "claims of ended processes are gone"


def test_who_does_not_fit_waits_until_there_is_room(tmp_path):
    first = Other(tmp_path, 60, GPUS[:1])
    assert first.gpu() == 0
    second = Other(tmp_path, 40, GPUS[:1])  # 60 + 40 is more than what is usable of 100
    time.sleep(0.5)
    assert len(list(tmp_path.glob("GPU-one.*"))) == 1
    first.end()
    assert second.gpu() == 0
    second.end()


def test_a_process_that_is_killed_holds_nothing(tmp_path):
    first = Other(tmp_path, 90, GPUS[:1])
    assert first.gpu() == 0
    first.process.kill()
    first.process.communicate()
    assert claim(GPUS[:1], 90, lambda index: 100, tmp_path) == 0


def test_memory_that_another_program_takes_is_no_room(tmp_path):
    first = Other(tmp_path, 10)
    assert first.gpu() == 0
    second = Other(tmp_path, 10)
    assert second.gpu() == 1
    asked = []

    def free(index):
        asked.append(index)
        return 5 if len(asked) < 5 else 20

    assert claim(GPUS, 10, free, tmp_path) == 0
    assert asked == [0, 1, 0, 1, 0]
    first.end()
    second.end()


def test_alone_it_is_tried_whatever_the_estimate_says(tmp_path):
    assert claim(GPUS[:1], 500, lambda index: 1, tmp_path) == 0


def test_a_process_keeps_its_gpu(tmp_path):
    assert claim(GPUS, 10, lambda index: 100, tmp_path) == 0
    assert claim(GPUS, 10, lambda index: 100, tmp_path) == 0
    assert len(list(tmp_path.glob("GPU-*"))) == 1
