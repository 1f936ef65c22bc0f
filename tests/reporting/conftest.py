import shutil
from pathlib import Path
from typing import Any

import pytest
from synthetic import SUITE, make_plan, make_runs, write_plan

from dgr.reporting.records import collect


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository root, the working directory of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository root in which every run is finished and collected; copied, never changed."""
    root, plan = tmp_path_factory.mktemp("finished"), make_plan()
    make_runs(plan, root)
    collect(SUITE, plan, root / "runs", root / "tuning", root / "results" / SUITE)
    return root


@pytest.fixture
def plan(workplace: Path, finished: Path) -> dict[str, Any]:
    """A plan whose runs all exist."""
    shutil.copytree(finished, workplace, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results"))
    plan = make_plan()
    write_plan(plan)
    return plan


@pytest.fixture
def results(plan: dict[str, Any], workplace: Path, finished: Path) -> Path:
    """The collected records of that plan."""
    assert plan
    shutil.copytree(finished / "results", workplace / "results")
    return Path("results") / SUITE
