"""The committed tables are those that this code makes from the committed records."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from committed_support import committed

from dgr.claims import CLAIMS_FILE, Verdict, load_claims, study_verdicts
from dgr.claims.narrowing import of_studies
from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.records.records import configured_studies
from dgr.records.scope import Scope
from dgr.records.study_records import load_study
from dgr.tables import claims as claims_table
from dgr.tables import significance
from dgr.tables.registry import write_table
from dgr.tables.shared import rendering
from dgr.tables.shared.verdicts import verdicts_in
from dgr.tables.studies.claims import study_claims_table
from dgr.tables.studies.measures import study_table

ROOT = committed()
WHOLE = ("mini", "faces", "cost")
"""Suites whose tables are all made here. Those of another take seconds each: every commit draws one of them, and
`make verify` makes all."""


def tables_of(suite: str) -> list[str]:
    """Those of runs; none of studies, which have a test of their own."""
    plan = json.loads((ROOT / paths.suite_folder(suite) / paths.PLAN).read_text(encoding="utf-8"))
    return [entry["name"] for entry in plan["tables"].values()]


def made_here() -> list[tuple[str, list[str]]]:
    git = ("git", "-C", paths.__file__.rpartition("/src/")[0], "rev-parse", "HEAD")
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout
    suites = [folder.parent.name for folder in sorted((ROOT / paths.RESULTS).glob("*/tables"))]
    names = {suite: tables_of(suite) for suite in suites}
    draw = random.Random(commit)
    return [(suite, own if suite in WHOLE else [draw.choice(own)]) for suite, own in names.items() if own]


@pytest.fixture
def decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What two tables of a suite show of the same verdicts."""
    known: dict[str, list[Verdict]] = {}

    def remembered(scope: Scope) -> list[Verdict]:
        if scope.suite not in known:
            known[scope.suite] = verdicts_in(scope)
        return known[scope.suite]

    monkeypatch.setattr(claims_table, "verdicts_in", remembered)
    monkeypatch.setattr(significance, "verdicts_in", remembered)


@pytest.fixture
def copied(workplace: Path) -> Path:
    """The committed plans, claims and records in the working directory."""
    for folder in (paths.CONFIGS, paths.SUITES):
        shutil.copytree(ROOT / folder, folder)
    shutil.copy(ROOT / paths.PLAN, paths.PLAN)
    for folder in (ROOT / paths.RESULTS).glob("*/records"):
        target = folder.relative_to(ROOT)
        target.parent.mkdir(parents=True)
        target.symlink_to(folder)  # only read
    return workplace


def assert_committed(made: list[Path]) -> None:
    for path in made:
        if path.suffix == ".csv":
            # Ten decimals stand there; the last one may depend on the processor.
            mine, theirs = (pd.read_csv(file, keep_default_na=False, na_values=[""]) for file in (path, ROOT / path))
            numbers = mine.select_dtypes("number").columns
            np.testing.assert_allclose(mine[numbers], theirs[numbers], rtol=0, atol=2e-10, err_msg=str(path))
            pd.testing.assert_frame_equal(mine.drop(columns=numbers), theirs.drop(columns=numbers))
        else:
            assert path.read_bytes() == (ROOT / path).read_bytes(), path


def test_every_suite_of_runs_has_tables_here() -> None:
    names = dict(made_here())
    assert names.keys() >= {"mini", "faces", "cost", "methods", "multiverse"}
    assert all(len(names[suite]) >= 4 for suite in WHOLE)


@pytest.mark.parametrize(("suite", "names"), made_here(), ids=lambda it: it if isinstance(it, str) else "-".join(it))
def test_of_runs(copied: Path, decided_once: None, suite: str, names: list[str]) -> None:
    assert copied.exists()
    for name in names:
        assert_committed(write_table(suite, name))


@pytest.mark.parametrize(("suite", "least"), [("studies", 6), ("real_studies", 3)])
def test_of_studies(copied: Path, suite: str, least: int) -> None:
    studies = {key: load_study(key) for key in configured_studies(read_plan(), suite)}
    assert copied.exists()
    assert len(studies) >= least
    folder = paths.tables_folder(suite)
    for study in studies.values():
        name = study.report.name
        assert_committed(rendering.write(study_table(study), folder / name, f"tab:{suite}-{name}"))
    claims = of_studies(load_claims(CLAIMS_FILE), suite)
    found = study_verdicts({key: study.frame for key, study in studies.items()}, claims)
    table = study_claims_table(suite, studies, found)
    assert_committed(rendering.write(table, folder / "claims", f"tab:{suite}-claims"))
