"""A committed record of a study that is changed is told; that they are of one piece, test_committed_suites says."""

import json
import shutil
from pathlib import Path

import pytest
from committed_support import committed
from verified_support import commit_all, run_git

from dgr.core import paths
from dgr.verification.complete_records import check_studies
from dgr.verification.history import check_history

SUITE = "studies"
STUDY = Path("results/studies/records/S1.csv")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (paths.PLAN, paths.SUITES, paths.RESULTS / SUITE):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (committed() / name).is_dir() else shutil.copy)(committed() / name, place)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_another_number_is_another_result(copied: Path) -> None:
    lines = STUDY.read_text(encoding="utf-8").splitlines(keepends=True)
    before, _, value = lines[1].rpartition(",")
    lines[1] = f"{before},{float(value) + 0.25}\n"
    STUDY.write_text("".join(lines), encoding="utf-8")
    assert check_studies(SUITE).problems == ["results/studies/origins/S1.json is about another result than the record."]


def test_an_origin_that_is_missing_is_told(copied: Path) -> None:
    Path("results/studies/origins/S1.json").unlink()
    (problem,) = check_studies(SUITE).problems
    assert problem.startswith("results/studies/origins/S1.json is missing; restore it")


def test_a_study_that_was_made_by_changed_code_is_told(copied: Path) -> None:
    run_git(copied, "init", "--quiet")
    commit_all(copied, "Results")
    assert not any("no commit has" in problem for problem in check_history(SUITE).problems)
    path = Path("results/studies/origins/S1.json")
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"dirty": True}), encoding="utf-8")
    (problem,) = (problem for problem in check_history(SUITE).problems if "no commit has" in problem)
    assert problem.startswith("results/studies/records/S1.csv was made by commit ")
