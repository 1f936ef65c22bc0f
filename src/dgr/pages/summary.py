"""The few numbers of a suite that ``dvc metrics show`` and ``dvc metrics diff`` are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from dgr.core import paths
from dgr.core.files import write_json
from dgr.records.outcomes import delta_m_per_run
from dgr.records.records import load_records
from dgr.records.scope import CELL

Summary = dict[str, dict[str, Any]]


def write_summary(suite: str) -> Path:
    """Write ``results/summaries/SUITE.json``: mean Δm of each method and regularizer, the verdict of each comparison.

    Raises:
        DGRError: records are missing, or Δm is not defined for them.
    """
    path = paths.summary_file(suite)
    claims = paths.tables_folder(suite) / "claims.csv"
    write_json(
        path,
        summarize(load_records(paths.records_folder(suite)).runs, pd.read_csv(claims) if claims.exists() else None),
    )
    return path


def summarize(runs: pd.DataFrame, claims: pd.DataFrame | None) -> Summary:
    """Nested by data set and architecture, method, regularizer.

    Args:
        runs: ``runs.csv``.
        claims: ``claims.csv``, or None where it has not been made.

    Returns:
        ``{"delta_m": {"DATASET-ARCHITECTURE": {METHOD: {REGULARIZER: percent}}}, "claims": {COMPARISON: verdict}}``.
    """
    summary: Summary = {"delta_m": {}}
    for (dataset, architecture), rows in runs.groupby(["dataset", "architecture"], sort=False):
        means = delta_m_per_run(rows).groupby(level=CELL, sort=False).mean()
        cells: dict[str, dict[str, float]] = {}
        names = (means.index.get_level_values(name) for name in CELL)
        for method, regularizer, value in zip(*names, means, strict=True):
            cells.setdefault(method, {})[regularizer] = round(float(value), 4) + 0.0
        summary["delta_m"][f"{dataset}-{architecture}"] = cells
    if claims is not None:
        summary["claims"] = dict(zip(claims["comparison"], claims["verdict"], strict=True))
    return summary
