"""The differences by seed behind every claim that a suite decides: what its intervals and dots are made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from dgr.claims import Verdict
from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.records.csv_files import read_frame
from dgr.records.records import configured_studies, load_records
from dgr.records.scope import open_scope
from dgr.records.study_records import load_study
from dgr.tables.shared.rendering import rounded
from dgr.tables.shared.verdicts import verdicts_in
from dgr.tables.studies.claims import verdicts_of_studies

DIFFERENCES = paths.RESULTS / "differences"
"""One file a suite, so that what is about all suites depends on one folder."""
COLUMNS = ["comparison", "method", "seed", "difference"]


def differences_file(suite: str) -> Path:
    """Where a suite's differences are: ``results/differences/SUITE.csv``."""
    return DIFFERENCES / f"{suite}.csv"


def write_differences(suite: str) -> Path:
    """Write :func:`differences_file` from the same verdicts as the table ``claims``, the same bytes every time.

    Raises:
        DGRError: records are missing or not those of the plan.
    """
    plan = read_plan()
    studies = {key: load_study(key) for key in configured_studies(plan, suite)}
    found = verdicts_of_studies(suite, studies) if studies else []
    if any(entry["suite"] == suite and entry["name"] == "claims" for entry in plan["tables"].values()):
        found += verdicts_in(open_scope("tables", suite, "claims", plan, load_records(paths.records_folder(suite))))
    path = differences_file(suite)
    write_text(path, rounded(by_seed(found)).to_csv(index=False, lineterminator="\n"))
    return path


def by_seed(found: Iterable[Verdict]) -> pd.DataFrame:
    """One row a comparison, method and seed: treatment minus reference, in the recorded unit.

    Rows without a method are what the test of the comparison takes; where several methods are averaged, rows with a
    method say of what.
    """
    rows = [
        (verdict.comparison.id, method, seed, value)
        for verdict in found
        for method, values in verdict.by_seed.items()
        for seed, value in values.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def read_differences(suite: str) -> pd.DataFrame:
    """A suite's file; no rows where it has not been made.

    Raises:
        DGRError: it is damaged.
    """
    path = differences_file(suite)
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    types = {"method": str, "seed": int, "difference": float}
    frame = read_frame(path, f"run `python -m dgr differences {suite}`", keep_default_na=False, dtype=types)
    if list(frame) != COLUMNS:
        raise DGRError(f"{path} has other columns than {', '.join(COLUMNS)}; run `python -m dgr differences {suite}`.")
    return frame
