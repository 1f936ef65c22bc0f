"""What `dgr plan` does: write or check the plans of all suites, of one, or of a quick look at one."""

from __future__ import annotations

from pathlib import Path

from dgr.core.paths import DEFAULT_SUITE, SHARED
from dgr.plan.files import check_plans, check_shared, write_plans
from dgr.plan.suites import find_suite, quick_look


def make_plans_current(configs: Path, check: bool, suite: str | None, seeds: str | None) -> str | None:
    """Write the plans, or only check that they are current.

    Args:
        configs: the folder ``paper_configs``.
        check: only check.
        suite: this one alone; the name of the shared pipeline checks the data sets.
        seeds: of a quick look, such as ``0,1``; by default at the default suite.

    Returns:
        The command that runs a quick look, which has a place of its own; else None.

    Raises:
        DGRError: a file is wrong, a suite is unknown, or a plan is not current.
    """
    if check and suite == SHARED.name:
        check_shared()
        return None
    chosen = find_suite(suite, configs) if suite and seeds is None else None
    if seeds is not None:
        chosen = quick_look(suite or DEFAULT_SUITE, seeds, configs)
    if check:
        check_plans(chosen)
        return None
    write_plans(chosen)
    return f"snakemake --cores all --config suite={chosen.name}" if chosen and chosen.seeds else None
