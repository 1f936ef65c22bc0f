"""What the audit page is made from: small committed files, and never a run folder or a cache."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.records.records import Records, configured_measurements, configured_runs, load_records

LOCK = Path("dvc.lock")
NOTES = Path("docs/replication.md")
CLAIMS = paths.CONFIGS / "claims.yaml"


@dataclass(frozen=True)
class Sources:
    """The files of one suite.

    Attributes:
        suite: its name.
        plan: the parsed plan.
        runs: the suite's runs in the plan, by key.
        records: its records.
    """

    suite: str
    plan: dict[str, Any]
    runs: dict[str, Any]
    records: Records

    def entries(self, section: str) -> dict[str, Any]:
        """The suite's entries of a section of the plan, by key."""
        return configured_measurements(self.plan, section, self.suite)

    def of_cell(self, name: str, cell: dict[str, str]) -> pd.DataFrame:
        """A frame's rows of one data set, architecture, method and regularizer."""
        frame: pd.DataFrame = getattr(self.records, name)
        return frame[(frame[list(cell)] == pd.Series(cell)).all(axis=1)]

    def tuning(self, key: str) -> pd.DataFrame:
        """The rows of ``tuning.csv`` of one run."""
        return self.records.tuning[self.records.tuning["key"] == key]

    @cached_property
    def _lock(self) -> dict[str, Any]:
        if not LOCK.exists():
            return {}
        stages: dict[str, Any] = yaml.load(
            LOCK.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )["stages"]
        return stages

    def locked(self, stage: str, key: str, output: str) -> dict[str, str]:
        """What ``dvc.lock`` says of a stage: the hash of its output and of the data it read.

        Only of stages that lie before this page: its own entry changes with it.
        """
        entry = self._lock.get(f"{stage}@{key}")
        if entry is None:
            return {"DVC": "no entry in dvc.lock"}
        files = {file["path"]: file["md5"] for file in [*entry["outs"], *entry.get("deps", [])]}
        shown = [
            path
            for path in files
            if path == output or path.startswith(("data/", str(paths.output_path(self.suite, "tune", ""))))
        ]
        return {"DVC stage": f"{stage}@{key}"} | {f"md5 of {path}": files[path] for path in shown}


def open_sources(suite: str) -> Sources:
    """Read a suite's files.

    Raises:
        DGRError: the suite has no runs, or a file of its records is missing or not readable.
    """
    plan = read_plan()
    return Sources(suite, plan, configured_runs(plan, suite), load_records(paths.records_folder(suite)))
