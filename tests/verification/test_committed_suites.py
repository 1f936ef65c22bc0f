"""The committed files of every suite are of one piece, also of those that `make verify` trains nothing of."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from committed_support import ROOT, committed

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.pages.inputs import has_runs
from dgr.records.records import configured_studies
from dgr.verification.complete_records import check_runs, check_studies
from dgr.verification.findings import Finding
from dgr.verification.history import check_history
from dgr.verification.locked_files import check_lock
from dgr.verification.other_suites import check_other, other_suites

SUITES = [folder.parent.name for folder in sorted((committed() / paths.RESULTS).glob("*/tables"))]
FORGED = "real_studies"


def work_in(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a history of its own gets the repository's, which is only read."""
    monkeypatch.chdir(place)
    if (ROOT / ".git").exists():
        asked = ("git", "-C", ROOT, "rev-parse", "--absolute-git-dir")
        folder = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
        for name, value in (("DIR", folder), ("WORK_TREE", str(place)), ("OPTIONAL_LOCKS", "0")):
            monkeypatch.setenv(f"GIT_{name}", value)


def test_no_suite_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(committed())
    assert set(SUITES) >= {"mini", "methods", "studies", "multiverse", "faces", "cost", "real_studies"}
    assert other_suites("mini") == [name for name in SUITES if name != "mini"]
    assert "python -m dgr verify mini --others\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("suite", SUITES)
def test_records_lock_and_history_fit_together(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    work_in(committed(), monkeypatch)
    plan = read_plan()
    lock, history, records = check_lock(suite), check_history(suite), Finding("no records of runs or studies")
    if has_runs(plan, suite):
        records = check_runs(suite)
    elif configured_studies(plan, suite):
        records = check_studies(suite)
    assert (lock.problems, history.problems, records.problems) == ([], [], [])
    assert lock.compared > 100
    assert records.compared > 3000 or suite == "cost"
    assert history.compared > 20 or history.open or suite in ("cost", "multiverse")  # which say of no commit


def test_a_verdict_of_another_suite_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, own = tmp_path / "p", paths.RESULTS / FORGED
    (place / paths.RESULTS).mkdir(parents=True)
    for path in (*committed().iterdir(), *(committed() / paths.RESULTS).iterdir()):
        target = place / path.relative_to(committed())
        if not target.exists() and path != committed() / own:
            target.symlink_to(path)
    shutil.copytree(committed() / own, place / own)
    monkeypatch.chdir(place)
    table = own / "tables/claims.csv"
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    was, forged = frame.loc[0, "verdict"], "supported" if frame.loc[0, "verdict"] != "supported" else "opposite"
    frame.loc[0, "verdict"] = forged
    frame.to_csv(table, index=False, lineterminator="\n")
    for name in ("check_lock", "check_history"):  # of which the forger thought
        monkeypatch.setattr(f"dgr.verification.other_suites.{name}", lambda _: Finding("nothing"))
    found = check_other(FORGED, tmp_path / "made")
    told = f"{frame.loc[0, 'comparison']}: committed is '{forged}', but the records say '{was}'."
    assert len(found.problems) == 2, "and nothing else is wrong there"
    assert told in found.problems
    assert any(problem.startswith(str(table)) and "line 2; make it" in problem for problem in found.problems)
    assert found.compared > 3000
