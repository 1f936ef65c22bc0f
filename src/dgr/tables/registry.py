"""Makes a table by its name; adding one is one file beside this.

The file declares ``NAMES``, the names of its tables, and ``build``, from :class:`Scope` to :class:`Table`. A suite has
the table once one of its YAML files names it under ``tables``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.registry import Registry
from dgr.records.records import load_records
from dgr.records.scope import open_scope
from dgr.tables.shared import rendering
from dgr.tables.shared.rendering import Table

TABLES = Registry("dgr.tables", "table", provides=("NAMES", "build"))


def write_table(suite: str, name: str) -> list[Path]:
    """Make ``results/SUITE/tables/NAME.{csv,md,tex,json}`` from the suite's records and the plan.

    Raises:
        DGRError: an unknown table, or records that are missing, incomplete or not those of the plan.
    """
    made_by = TABLES.making(name)
    scope = open_scope("tables", suite, name, read_plan(), load_records(paths.records_folder(suite)))
    table: Table = made_by.build(scope)
    if scope.remark:
        table = replace(table, notes=[scope.remark, *table.notes])
    return rendering.write(table, paths.tables_folder(suite) / name, f"tab:{suite}-{name}")
