"""What a suite's page is made from: small committed files, and never a run folder or a cache."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dgr.config.plan_file import Plan, read_plan
from dgr.core import paths
from dgr.core.errors import DGRError, nearest
from dgr.plan.locks import LOCK_NAME, lock_stages
from dgr.records.origins import RESULT, read_origins
from dgr.records.records import RECORD_COLUMNS, Records, configured_measurements, configured_runs, load_records

NOTES = Path("docs/replication.md")


@dataclass(frozen=True)
class Inputs:
    """The files of one suite.

    Attributes:
        suite: its name.
        plan: the parsed plan.
        runs: the suite's runs in the plan, by key; none where studies alone make the suite.
        records: of its runs, ``provenance`` with who made them; empty frames without any.
    """

    suite: str
    plan: Plan
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
        try:
            return lock_stages(paths.suite_folder(self.suite) / LOCK_NAME)
        except FileNotFoundError:
            return {}

    def locked(self, output: Path) -> dict[str, str]:
        """What the suite's ``dvc.lock`` says of an output: its hash, the stages that made it, and the data they read.

        Only of outputs that stages before this page make: the page's own entry changes with it.

        Args:
            output: a file or folder, or what several stages' outputs have in common, such as the folder of all seeds.
        """
        makers = {
            stage: entry
            for stage, entry in self._lock.items()
            if any(Path(out["path"]).is_relative_to(output) for out in entry.get("outs", []))
        }
        if not makers:
            return {"DVC": f"no entry for {output} in {paths.suite_folder(self.suite) / LOCK_NAME}"}
        read = (f"{paths.DATA}/", f"{paths.output_path(self.suite, 'tune', '')}/")
        hashes: dict[str, str] = {}
        for entry in makers.values():
            hashes |= {out["path"]: out["md5"] for out in entry["outs"]}
            hashes |= {dep["path"]: dep["md5"] for dep in entry.get("deps", []) if dep["path"].startswith(read)}
        return {"DVC stage": ", ".join(makers)} | {f"md5 of {path}": digest for path, digest in hashes.items()}


def open_inputs(suite: str) -> Inputs:
    """Read a suite's files.

    Raises:
        DGRError: there is no such suite, or a file of its runs' records is missing or not readable.
    """
    plan = read_plan()
    known = suites_of(plan)
    if suite not in known:
        raise DGRError(f"There is no suite '{suite}'{nearest(suite, known)}")
    if has_runs(plan, suite) or configured_measurements(plan, "costs", suite):
        records = load_records(paths.records_folder(suite))
        told = records.provenance.merge(read_origins(suite), how="left", on=RESULT)
        return Inputs(suite, plan, configured_runs(plan, suite), replace(records, provenance=told))
    none = {name: pd.DataFrame(columns=columns) for name, columns in RECORD_COLUMNS.items()}
    return Inputs(suite, plan, {}, Records(**none))


def suites_of(plan: Plan) -> list[str]:
    """Every suite that the plan has an entry of, in its order."""
    entries = (entry for section in plan.values() for entry in section.values())
    return list(dict.fromkeys(entry["suite"] for entry in entries if "suite" in entry))


def has_runs(plan: Plan, suite: str) -> bool:
    """Whether a suite trains anything, be it in sweeps alone, and so has records of runs."""
    return any(configured_measurements(plan, section, suite) for section in ("runs", "tuned_runs", "sweeps"))
