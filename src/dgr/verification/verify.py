"""All checks of a suite's committed results, a sample of its runs trained again, and the other suites' files."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from dgr.archive.outputs import output_md5
from dgr.config.plan_file import Plan, read_plan
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.core.files import cannot_write, write_text
from dgr.pages.inputs import has_runs
from dgr.plan.files import check_plans, check_shared
from dgr.plan.locks import LOCK_NAME
from dgr.plan.suites import find_suite
from dgr.records.records import configured_studies
from dgr.verification.citation import check_citation
from dgr.verification.complete_records import check_runs, check_studies
from dgr.verification.drawing import Unit, draw_units, everything, of_record
from dgr.verification.findings import Finding
from dgr.verification.history import check_history
from dgr.verification.locked_files import check_lock, read_lock_file
from dgr.verification.made_again import read_again
from dgr.verification.numbers_again import compare_again
from dgr.verification.other_suites import check_other, other_suites
from dgr.verification.places import make_places
from dgr.verification.portability import origins, why_bits_may_differ
from dgr.verification.prose import check_prose
from dgr.verification.remaking import check_remade, remake
from dgr.verification.report import Verification, report_text
from dgr.verification.rerunning import prepare_data, run_again, warmed


def choose_units(suite: str, sample: int, seed: int, key: str | None, run_seed: int | None, whole: bool) -> list[Unit]:
    """What is run again: everything, one record, or a sample.

    Args:
        suite: whose.
        sample: how many seeds of runs; 0 for none.
        seed: of the draw.
        key: one record of the page, in place of a sample.
        run_seed: one of its seeds; None for all.
        whole: everything, in place of a sample.

    Raises:
        DGRError: an unknown suite, key or seed, or a seed without its key.
    """
    find_suite(suite, paths.CONFIGS)
    plan = read_plan()
    if run_seed is not None and key is None:
        raise DGRError(f"--seed {run_seed} is a seed of one record; name it with --key KEY, or the draw's with --draw.")
    if key is not None:
        return of_record(plan, suite, key, run_seed)
    return everything(plan, suite) if whole else draw_units(plan, suite, sample, seed)


def verify_suite(
    suite: str, units: list[Unit], scratch: Path | None, output: Path, others: bool = False
) -> Verification:
    """Check a suite and write the report; nothing else of the checkout is written.

    Args:
        suite: its name.
        units: what is run again.
        scratch: where a temporary folder is made, by default the system's; it goes at the end.
        output: the report.
        others: whether the committed files of every other suite are checked too.

    Raises:
        DGRError: a record or the lock is missing or damaged, a run fails, or a place cannot be written. There is no
            report then.
    """
    plan = read_plan()
    try:
        temporary = tempfile.TemporaryDirectory(prefix="dgr-verify-", dir=scratch)
    except OSError as error:
        raise cannot_write(scratch or Path(tempfile.gettempdir()), error) from error
    differing = why_bits_may_differ(suite, plan)
    with temporary as place:
        folder = Path(place).resolve()
        findings = [*check_files(suite, folder / "remade", exact=not differing)]
        if units:
            findings += _run_again(suite, plan, units, folder, exact=not differing)
        if others:
            findings += [check_other(name, folder / f"remade-{name}") for name in other_suites(suite)]
    made_on = list(dict.fromkeys(str(origin["device"]) for origin in origins(suite, plan)))
    command = f"python -m dgr {' '.join(sys.argv[1:])}"
    verification = Verification(suite, command, findings, units, differing, made_on)
    write_text(output, report_text(verification))
    return verification


def check_files(suite: str, scratch: Path, exact: bool) -> list[Finding]:
    """Everything that needs no training.

    Raises:
        DGRError: a record or the lock is missing or damaged, or the scratch folder cannot be written.
    """
    found, plan = [check_plan(suite)], read_plan()
    if has_runs(plan, suite):
        found.append(check_runs(suite))
    if configured_studies(plan, suite):
        found.append(check_studies(suite))
    found.append(check_lock(suite))
    try:
        scratch.mkdir()
    except OSError as error:
        raise cannot_write(scratch, error) from error
    unmade = Finding("what is made from records", problems=remake(suite, scratch))
    found += [unmade] * bool(unmade.problems) + check_remade(suite, scratch, exact)
    return [*found, check_history(suite), check_prose(), check_citation()]


def check_plan(suite: str) -> Finding:
    """The plan is what ``paper_configs`` says, and so is that of the data sets."""
    found = Finding("plan against paper_configs")
    with found.told():
        check_plans(find_suite(suite, paths.CONFIGS))
    with found.told():
        check_shared()
    return found


def _run_again(suite: str, plan: Plan, units: list[Unit], scratch: Path, exact: bool) -> list[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    on_cpu = all(str(origin["device"]).startswith("cpu") for origin in origins(suite, plan))
    places = make_places(plan, suite, units, scratch, "cpu" if on_cpu else "auto")
    with warmed():
        names = prepare_data(places, scratch, cores)
        run_again(places, cores)
    return [_data(suite, names, scratch), compare_again(suite, read_again(places, suite), exact)]


def _data(suite: str, names: list[str], scratch: Path) -> Finding:
    """The data that runs were trained on are those that were prepared now."""
    found = Finding("data sets against dvc.lock")
    locked = {dep["path"]: dep["md5"] for stage in read_lock_file(suite).values() for dep in stage.get("deps", [])}
    for name in names:
        path = paths.DATA / name
        same = locked.get(str(path)) == output_md5(scratch / path)
        found.expect(same, f"{path} is not the data set that {paths.suite_folder(suite) / LOCK_NAME} knows.")
    return found
