"""The committed files of all suites but one: whether they fit together, without figures, pages and training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.files import cannot_write
from dgr.pages.inputs import has_runs
from dgr.plan.files import check_plans
from dgr.plan.suites import find_suite, find_suites
from dgr.records.records import configured_studies
from dgr.verification.complete_records import check_runs, check_studies
from dgr.verification.findings import Finding
from dgr.verification.history import check_history
from dgr.verification.locked_files import check_lock
from dgr.verification.portability import why_bits_may_differ
from dgr.verification.remaking import TABLES_ALONE, check_remade, remake


def other_suites(suite: str) -> list[str]:
    """Configured suites with tables, but this one."""
    names = [each.name for each in find_suites(paths.CONFIGS)]
    return [name for name in names if name != suite and paths.tables_folder(name).is_dir()]


def check_other(suite: str, scratch: Path) -> Finding:
    """Plan, records, lock and history of a suite, and the tables and verdicts that its records give.

    Figures and pages are held against the hashes of the lock alone: to draw them all takes minutes.

    Args:
        suite: its name.
        scratch: a folder to be made and filled.

    Raises:
        DGRError: a record or the lock is missing or damaged, or the scratch folder cannot be written.
    """
    found = Finding(f"committed files of {suite}")
    for part in _parts(suite, scratch):
        found.compared += part.compared
        found.problems += part.problems
        found.notes += [*part.notes, part.open] if part.open else part.notes
    return found


def _parts(suite: str, scratch: Path) -> Iterator[Finding]:
    plan = read_plan()
    current = Finding("plan")
    with current.told():
        check_plans(find_suite(suite, paths.CONFIGS))
    yield current
    if has_runs(plan, suite):
        yield check_runs(suite)
    if configured_studies(plan, suite):
        yield check_studies(suite)
    yield check_lock(suite)
    yield check_history(suite)
    try:
        scratch.mkdir()
    except OSError as error:
        raise cannot_write(scratch, error) from error
    yield Finding("made", problems=remake(suite, scratch, TABLES_ALONE))
    yield from check_remade(suite, scratch, not why_bits_may_differ(suite, plan), TABLES_ALONE)
