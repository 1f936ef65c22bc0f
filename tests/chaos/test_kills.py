"""A small part of `make chaos`: one kill of a whole training, and what the campaign itself must not overlook."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from counts import HEADINGS, PAGE, heading, read_rows, table
from kills import heed_interrupts, kill_once
from marked import MARK, end_all, gone, marked, processes_of
from project_support import reproduced
from trial_project import differences, environment, stages, state, undo

RUN = "runs/mini/train/mini-multimnist-conv-single_task-none"
TARGET = f"{RUN}/manifest.json"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny suite, which is made."""
    return Path(
        shutil.copytree(reproduced(tmp_path_factory).root, tmp_path_factory.mktemp("made") / "p", symlinks=True)
    )


def test_an_interrupt_of_all_ends_all_at_once(trained: Path, tmp_path: Path) -> None:
    """Ctrl-C, which a terminal sends to the whole group, while a stage is at work and many others would follow."""
    root = Path(shutil.copytree(trained, tmp_path / "p", symlinks=True))
    undo(root, list(stages(root)))
    place, begin = environment(root, "interrupted"), time.monotonic()
    with subprocess.Popen(
        ["snakemake", "--cores", "2"], cwd=root, env=place, start_new_session=True, preexec_fn=heed_interrupts
    ) as engine:
        try:
            while not processes_of("stage", root, "interrupted"):
                assert engine.poll() is None, "it had ended before a stage was at work"
                time.sleep(0.02)
            limit = max(10.0, time.monotonic() - begin)  # on a busy machine everything takes longer
            os.killpg(engine.pid, signal.SIGINT)
            assert engine.wait(limit) != 0
            assert gone("interrupted", limit)
        finally:
            end_all("interrupted")


@pytest.mark.parametrize("role", ["all", "engine"])
def test_the_same_command_finishes_after_a_kill(trained: Path, role: str) -> None:
    """While a stage is at work, so that there are locks, and a half-made folder."""
    wanted = state(trained)
    assert f"{RUN}/seed-0/metrics.json" in wanted
    undo(trained, [address for address in stages(trained) if f"train@{Path(RUN).name}" in address])
    outcome = kill_once(
        trained, "snakemake", role, signal.SIGKILL, wanted, delay=0.0, limit=900, words=[TARGET], beside="stage"
    )
    assert outcome.killed
    assert outcome.wrong == []


def test_what_is_left_over_or_another_is_told(tmp_path: Path) -> None:
    for name in ("results/a.csv", "data/d/x.npy", ".dvc/tmp/lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    before = state(tmp_path)
    assert differences(before, state(tmp_path)) == []
    (tmp_path / "results/a.csv").write_text("y")
    (tmp_path / "data/d/x.npy").unlink()
    (tmp_path / "data/.d-12345678").mkdir()
    (tmp_path / "data/.d-12345678/x.npy").write_text("x")
    assert differences(before, state(tmp_path)) == [
        "data/d/x.npy is missing",
        "data/.d-12345678/x.npy is left over",
        "results/a.csv is another",
    ]


def test_a_process_that_stays_is_found_and_ended() -> None:
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {MARK: "stays"}, check=True)
    end = time.monotonic() + 10
    while not marked("stays") and time.monotonic() < end:  # a process that has just begun has no words yet
        time.sleep(0.02)
    assert ["time.sleep(600)" in does for does in marked("stays").values()] == [True]
    assert len(end_all("stays")) == 1
    assert not marked("stays")


def test_the_page_shows_the_counts() -> None:
    rows, page = read_rows(), PAGE.read_text(encoding="utf-8")
    for campaign in HEADINGS:
        assert f"{heading(campaign)}{table(rows[rows['campaign'] == campaign], campaign)}\n<!-- end -->" in page
    assert (rows["tried"] == rows["right"]).all()
    assert set(rows["campaign"]) == set(HEADINGS)


def test_a_table_has_a_line_for_all() -> None:
    values = {"what": "all of `dvc repro`", "how": "SIGKILL", "tried": 3, "right": 3, "longest_seconds": 4.4}
    text = table(pd.DataFrame([{"campaign": "kills", **values, "seed": seed} for seed in "12"]), "kills")
    assert [line.split()[1] for line in text.splitlines()[2:]] == ["all", "**all**"], "two seeds are one line"
    assert "| 6 " in text.splitlines()[-1]
    assert "4 s" in text


def test_formats_are_one_line_on_the_page() -> None:
    values = {"campaign": "hostile", "how": "used", "tried": 3, "right": 3, "longest_seconds": 0.4, "seed": "1"}
    rows = [{**values, "what": f"JSON: {each}"} for each in ("plan", "choice")]
    assert "| JSON " in table(pd.DataFrame(rows), "hostile")
    assert "| 6 " in table(pd.DataFrame(rows), "hostile").splitlines()[2]
