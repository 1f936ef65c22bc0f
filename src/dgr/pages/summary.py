"""The few numbers of a suite that ``dvc metrics show``, ``dvc metrics diff`` and the index page are asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from dgr.core import paths
from dgr.core.files import sha256, write_json
from dgr.pages.comparisons import decided_claims
from dgr.pages.inputs import Inputs, open_inputs
from dgr.records.names import SINGLE_TASK
from dgr.records.outcomes import delta_m_per_run
from dgr.records.scope import CELL

Summary = dict[str, Any]


def write_summary(suite: str) -> Path:
    """Write ``results/summaries/SUITE.json``.

    Raises:
        DGRError: there is no such suite, or the records of its runs are missing.
    """
    path = paths.summary_file(suite)
    write_json(path, summarize(open_inputs(suite)))
    return path


def summarize(inputs: Inputs) -> Summary:
    """What a suite has found, in a few numbers.

    Returns:
        ``delta_m``, the mean Δm in percent, by ``DATASET-ARCHITECTURE``, method and regularizer, where single-task
        learning was run; ``claims``, the verdict of each comparison; ``trained``, the number of trained runs, each
        method, regularizer and seed one; ``made_from``, the SHA-256 of records, origins, tables and figures, so that
        the report is made again when one of them changes. Each only where the suite has any.
    """
    runs = inputs.records.runs
    found = {
        "delta_m": {
            f"{dataset}-{architecture}": _delta_m(rows)
            for (dataset, architecture), rows in runs.groupby(["dataset", "architecture"], sort=False)
            if SINGLE_TASK in set(rows["method"])
        },
        "claims": {comparison: row["verdict"] for comparison, row in decided_claims(inputs.suite).items()},
        "trained": len(inputs.records.provenance),
        "made_from": _digest(inputs.suite),
    }
    return {name: value for name, value in found.items() if value}


def _digest(suite: str) -> str:
    """One hash of all that pages show of it."""
    numbers = (paths.records_folder(suite), paths.origins_folder(suite), paths.tables_folder(suite))
    found = [path for folder in (*numbers, paths.FIGURES / suite) for path in folder.glob("*.*")]
    files = sorted(path for path in found if path.suffix in (".csv", ".json", ".png"))
    told = "".join(f"{path.as_posix()} {sha256(path)}\n" for path in files)
    return hashlib.sha256(told.encode()).hexdigest() if files else ""


def _delta_m(runs: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Mean Δm over seeds, in percent, by method and regularizer."""
    means = delta_m_per_run(runs).groupby(level=CELL, sort=False).mean()
    cells: dict[str, dict[str, float]] = {}
    names = (means.index.get_level_values(name) for name in CELL)
    for method, regularizer, value in zip(*names, means, strict=True):
        cells.setdefault(method, {})[regularizer] = round(float(value), 4) + 0.0
    return cells
