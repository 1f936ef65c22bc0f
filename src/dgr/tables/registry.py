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


def table_files() -> dict[str, str]:
    """The file of each table by the table's name, from what the files declare; none of them is imported.

    Raises:
        DGRError: a file declares no names, or two of them declare the same.
    """
    found: dict[str, str] = {}
    for file in TABLES:
        names = TABLES.declared(file, "NAMES")
        if not isinstance(names, tuple):
            raise DGRError(f"{TABLES.file(file)}: NAMES must be a tuple of names, such as ('T9',).")
        for name in names:
            if found.setdefault(name, file) != file:
                raise DGRError(f"{TABLES.file(found[name])} and {TABLES.file(file)} both make table {name}; rename it.")
    return found


def write_table(suite: str, name: str) -> list[Path]:
    """Make ``results/SUITE/tables/NAME.{csv,md,tex,json}`` from the suite's records and the plan.

    A name may be told apart from others of its kind, such as ``T2-split`` and ``T2-mtan``.

    Raises:
        DGRError: an unknown table, or records that are missing, incomplete or not those of the plan.
    """
    files, kind = table_files(), name.partition("-")[0]
    if kind not in files:
        raise DGRError(f"There is no table '{name}'{nearest(name, files)}.")
    scope = open_scope("tables", suite, name, read_plan(), load_records(paths.records_folder(suite)))
    table: Table = TABLES[files[kind]].build(scope)
    return rendering.write(table, paths.tables_folder(suite) / name, f"tab:{suite}-{name}")
