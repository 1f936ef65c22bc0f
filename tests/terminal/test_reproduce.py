"""What a person meets who reproduces a suite: one run of the tiny one from nothing, and calls after it."""

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from adding_support import without_measurements
from project_support import Project, reproduced

from dgr.core.errors import DGRError
from dgr.terminal.smoke import copy_small_project

ROOT = Path(__file__).parents[2]
DGR = ("python", "-m", "dgr")
LINE = re.compile(r"\[ *(\d+)/(\d+)\] (\w+) .*  (\d+ min )?\d+ s( · (about|less than|more than) .* left)?$")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """The tiny suite, reproduced from nothing, and what that printed to a pipe."""
    made = reproduced(tmp_path_factory).root
    own = shutil.copytree(made, tmp_path_factory.mktemp("reproduced") / "project", symlinks=True)
    return Project(own), (made.parent / "said.txt").read_text(encoding="utf-8")


def in_terminal(project: Project, *command: str) -> str:
    """What a command prints to a terminal."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"PYTHONPATH": str(project.root / "src"), "TERM": "xterm", "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    environment |= {"DVC_SITE_CACHE_DIR": str(project.root / ".site")}
    arguments = [sys.executable, *command[1:]]
    process = subprocess.Popen(arguments, cwd=project.root, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # how Linux says that the other end is closed
        pass
    assert process.wait() == 0, text.decode()
    return text.decode()


def test_each_step_is_one_line_and_the_last_is_the_last(told: tuple[Project, str]) -> None:
    _, text = told
    steps = [match for line in text.splitlines() if (match := LINE.match(line))]
    total = int(steps[-1][2])
    assert total > 20
    assert [int(step[1]) for step in steps] == list(range(1, total + 1))
    assert {"prepared", "tuned", "trained", "probed", "swept", "timed", "collected", "made", "drew"} <= {
        step[3] for step in steps
    }
    assert not {"\r", "\033"} & set(text)
    assert "rule " not in text


def test_it_ends_with_what_came_out_what_differs_and_where_to_look(told: tuple[Project, str]) -> None:
    _, text = told
    end = text[text.index("What came out of suite mini") :]
    assert "It decides no claim." in end
    assert "The last commit has no results of this suite." in end
    assert "page:      results/mini/audit.html" in end


def test_calls_after_it(told: tuple[Project, str]) -> None:
    """One after another, since each takes seconds: compared with a commit, with all options, in a terminal, failing."""
    project, _ = told
    project.commit("made")
    again = project.run(*DGR, "reproduce")
    assert len([line for line in again.splitlines() if LINE.match(line)]) == 1
    assert re.search(r"All [\d,]+ numbers are those of the last commit, digit by digit\.", again)
    verbose = project.run(*DGR, "reproduce", "mini", "--verbose", "--workflow-profile", "profiles/gpus")
    assert "rule all:" in verbose
    assert "What came out of suite mini" in verbose
    shown = in_terminal(project, *DGR, "reproduce")
    assert "\r\033[K" in shown
    assert "checking that dvc.lock and all files agree" in shown
    assert re.search(r"\[1/1\] checked that dvc.lock and all files agree  \033\[2m.*\d+ s\033\[0m", shown)
    assert "Unknown suite 'minii'; did you mean 'mini'?" in project.run(*DGR, "reproduce", "minii", fails=True)
    look = project.run(*DGR, "reproduce", "mini", "--seeds", "3,4", "-n")  # Snakemake speaks for itself
    assert re.search(r"^train +\d+$", look, re.MULTILINE)
    key = "mini-seeds-3-4-multimnist-conv-single_task-none"
    assert key not in look
    assert key in project.run(*DGR, "reproduce", "mini", "--seeds", "3,4", "-n", "--verbose")
    assert "What came out" not in look
    project.plan()
    module = "src/dgr/methods/single_task.py"
    broken = (
        f"{project.read(module)}\nfrom dgr.core.errors import DGRError\n\nraise DGRError('This method is broken.')\n"
    )
    project.write(module, broken)
    failed = project.run(*DGR, "reproduce", "mini", "--until", "train", fails=True)
    assert "FAILED training STL" in failed
    assert "| dgr: This method is broken." in failed
    assert "the same command goes on from there" in failed
    assert "What came out" not in failed
    assert "Traceback" not in failed


def test_the_smoke_test_passes_and_changes_nothing_here(tmp_path: Path) -> None:
    """With a part of its runs: all of them are made above, by the function that it calls."""
    project = Project(tmp_path / "checkout")
    copy_small_project(ROOT, project.root)
    for name in ("tiny_configs", "tiny_report"):
        shutil.copytree(ROOT / "tests" / name, project.root / "tests" / name)
    for name in ("T5", "T6"):
        (project.root / f"tests/tiny_configs/mini/{name}.yaml").unlink()
    project.edit_yaml(fewer_runs, "tests/tiny_configs/mini/T1.yaml")
    before = project.bytes_below(".")
    text = project.run(*DGR, "smoke")
    assert re.search(r"The smoke test passed in .*: the whole pipeline runs on this machine\.", text)
    assert "trained 2 runs (4 seeds in all)" in text
    assert "table T1, figure F5 and a page" in text
    after = project.bytes_below(".")
    assert {path: content for path, content in after.items() if "__pycache__" not in path} == before


def fewer_runs(suite: dict[str, Any]) -> None:
    without_measurements(suite)
    del suite["regularizers"][1:]


def test_the_smoke_test_fails_where_a_stage_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DGRError, match=r"Snakefile is missing; take a whole clone"):
        copy_small_project(tmp_path, tmp_path / "copy")
