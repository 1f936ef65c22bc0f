import shutil
from pathlib import Path
from typing import Any

import pytest
from audit_support import SUITE as AUDITED
from audit_support import make_checkout, write_claims
from synthetic import SUITE, make_measurements, make_plan, make_runs, write_plan

from dgr.core.paths import tuning_file
from dgr.records.collecting import collect_records

TUNING = tuning_file(SUITE, "").parent


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
    make_measurements(plan, root)
    collect_records(SUITE, plan, root)
    return root


@pytest.fixture
def plan(workplace: Path, finished: Path) -> dict[str, Any]:
    """A plan whose runs all exist."""
    shutil.copytree(finished, workplace, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results"))
    shutil.copytree(finished / TUNING, workplace / TUNING)
    plan = make_plan()
    write_plan(plan)
    return plan


@pytest.fixture
def results(plan: dict[str, Any], workplace: Path, finished: Path) -> Path:
    """The collected records of that plan."""
    assert plan
    shutil.copytree(finished / "results", workplace / "results", dirs_exist_ok=True)
    return Path("results") / SUITE


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What :func:`checkout` copies."""
    root = tmp_path_factory.mktemp("made")
    write_claims(make_checkout(root))
    return root


@pytest.fixture
def checkout(workplace: Path, audited: Path) -> Path:
    """A fresh checkout with records, a table, a figure and claims; gives its results."""
    shutil.copytree(audited, workplace, dirs_exist_ok=True)
    return Path("results") / AUDITED
