"""Makes a table by its name; adding one is one file beside this.

The file declares ``NAMES``, the names of its tables, and ``build``, from :class:`Scope` to :class:`Table`. A suite has
the table once one of its YAML files names it under ``tables``.
"""

from __future__ import annotations

from pathlib import Path

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.errors import DGRError, nearest
from dgr.core.registry import Registry
from dgr.records.records import load_records
from dgr.records.scope import open_scope
from dgr.tables.shared import rendering
from dgr.tables.shared.rendering import Table

TABLES = Registry("dgr.tables", "table", provides=("NAMES", "build"))


def write_table(suite: str, name: str) -> list[Path]:
    """Make ``results/SUITE/tables/NAME.{csv,md,tex,json}`` from the suite's records and the plan.

    A name may be told apart from others of its kind, such as ``T2-split`` and ``T2-mtan``.

    Raises:
        DGRError: an unknown table, or records that are missing, incomplete or not those of the plan.
    """
    files, kind = TABLES.by_names(), name.partition("-")[0]
    if kind not in files:
        raise DGRError(f"There is no table '{name}'{nearest(name, files)}")
    scope = open_scope("tables", suite, name, read_plan(), load_records(paths.records_folder(suite)))
    table: Table = TABLES[files[kind]].build(scope)
    return rendering.write(table, paths.tables_folder(suite) / name, f"tab:{suite}-{name}")
