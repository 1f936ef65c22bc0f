"""The committed tables are those that this code makes from the committed records."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from committed_support import committed

from dgr.claims import CLAIMS_FILE, load_claims, study_verdicts
from dgr.claims.narrowing import of_studies
from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.records.study_records import load_study
from dgr.tables.registry import write_table
from dgr.tables.shared import rendering
from dgr.tables.studies.claims import study_claims_table
from dgr.tables.studies.measures import study_table

ROOT = committed()


@pytest.fixture
def copied(workplace: Path) -> Path:
    """The committed plans, claims and records in the working directory."""
    for folder in (paths.CONFIGS, paths.SUITES):
        shutil.copytree(ROOT / folder, folder)
    shutil.copy(ROOT / paths.PLAN, paths.PLAN)
    for folder in (ROOT / paths.RESULTS).glob("*/records"):
        shutil.copytree(folder, folder.relative_to(ROOT))
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


@pytest.mark.parametrize(("suite", "least"), [("mini", 4)])
def test_of_runs(copied: Path, suite: str, least: int) -> None:
    names = [entry["name"] for entry in read_plan()["tables"].values() if entry["suite"] == suite]
    assert copied.exists()
    assert len(names) >= least
    for name in names:
        assert_committed(write_table(suite, name))


def test_of_studies(copied: Path) -> None:
    keys = [key for key, entry in read_plan()["studies"].items() if entry["suite"] == "studies"]
    studies = {key: load_study(key) for key in keys}
    assert copied.exists()
    assert len(studies) >= 6
    folder = paths.tables_folder("studies")
    for study in studies.values():
        name = study.report.name
        assert_committed(rendering.write(study_table(study), folder / name, f"tab:studies-{name}"))
    claims = of_studies(load_claims(CLAIMS_FILE), "studies")
    found = study_verdicts({key: study.frame for key, study in studies.items()}, claims)
    table = study_claims_table("studies", studies, found)
    assert_committed(rendering.write(table, folder / "claims", "tab:studies-claims"))
