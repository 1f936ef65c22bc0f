"""The registry of tables; adding one is a function from :class:`Scope` to :class:`Table` and a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.errors import DGRError, nearest
from dgr.records.records import load_records
from dgr.records.scope import Scope, open_scope
from dgr.tables import rendering
from dgr.tables.ablation import ablation_table
from dgr.tables.claims import claims_table
from dgr.tables.cost import cost_table
from dgr.tables.main import main_table
from dgr.tables.rendering import Table
from dgr.tables.significance import significance_table
from dgr.tables.transfer import transfer_table

TABLES: dict[str, Callable[[Scope], Table]] = {
    "T1": main_table,
    "T2": main_table,
    "T3": main_table,
    "T4": transfer_table,
    "T5": cost_table,
    "T6": ablation_table,
    "T7": significance_table,
    "claims": claims_table,
}


def write_table(suite: str, name: str) -> list[Path]:
    """Make ``results/SUITE/tables/NAME.{csv,md,tex}`` from the suite's records and the plan.

    A name may be told apart from others of its kind, such as ``T2-split`` and ``T2-mtan``.

    Raises:
        DGRError: an unknown table, or records that are missing, incomplete or not those of the plan.
    """
    kind = name.partition("-")[0]
    if kind not in TABLES:
        raise DGRError(f"There is no table '{name}'{nearest(name, TABLES)}.")
    scope = open_scope("tables", suite, name, read_plan(), load_records(paths.records_folder(suite)))
    return rendering.write(TABLES[kind](scope), paths.tables_folder(suite) / name, f"tab:{suite}-{name}")
