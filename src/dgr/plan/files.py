"""What ``dgr plan`` writes: the plan of each suite, and a copy of the stages for each but the default one."""

from __future__ import annotations

import shutil
from pathlib import Path

from dgr.config.plan_file import Plan
from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.core.paths import CONFIGS, HASHES, PLAN, SHARED, STAGES, SUITES, suite_folder
from dgr.plan.entry_hashes import hashes
from dgr.plan.expand import dump, make_plans
from dgr.plan.suites import QUICK, Suite, find_suite, find_suites

COPY_NOTE = f"# A copy of the top folder's {STAGES}, made by `python -m dgr plan`: change that one, and run it again.\n"


def write_plans(suite: Suite | None = None) -> list[Path]:
    """Write the files of one suite, or of all; then folders of no suite go, quick looks among them.

    Returns:
        The folders that went. What their stages made stays where it is.

    Raises:
        DGRError: a file of ``paper_configs`` is wrong, and nothing was written; or a file cannot be written.
    """
    from dgr.plan.options import check_methods  # which brings torch; a plan is compared without

    suites = [suite] if suite else find_suites(CONFIGS)
    plans = make_plans(CONFIGS, suites)
    for plan in plans.values():
        check_methods(plan)
    for path, text in _texts(plans).items():
        # A file that is right stays as it is: engines that go by its time have nothing to do again.
        if not _is_current(path, text):
            write_text(path, text)
    gone = [] if suite else _left_over(suites)
    for folder in gone:
        shutil.rmtree(folder)
    return gone


def check_plans(suite: Suite | None = None) -> None:
    """Check the files of one suite, or of all, quick looks among them.

    Raises:
        DGRError: one is not what ``paper_configs`` says, or belongs to no suite.
    """
    suites = [suite] if suite else find_suites(CONFIGS)
    if suite is None:
        for folder in _left_over(suites):
            if not QUICK.fullmatch(folder.name):
                raise DGRError(f"{folder} belongs to no suite of {CONFIGS}; run `python -m dgr plan`.")
            suites.append(find_suite(folder.name, CONFIGS))
    _check(make_plans(CONFIGS, suites))


def check_shared() -> None:
    """Check the plan of the data sets alone.

    Raises:
        DGRError: it is not what ``paper_configs`` says.
    """
    _check(make_plans(CONFIGS, []))


def _check(plans: dict[Path, Plan]) -> None:
    for path, text in _texts(plans).items():
        if not _is_current(path, text):
            look = f" --suite {path.parent.name}" if QUICK.fullmatch(path.parent.name) else ""
            told = f"{path} is not current; run `python -m dgr plan{look}`, which makes it anew of what {CONFIGS} says."
            raise DGRError(told)


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _texts(plans: dict[Path, Plan]) -> dict[Path, str]:
    """Of all files, by path, before any is written."""
    copies = [path.with_name(STAGES.name) for path in plans if path not in (PLAN, SHARED / PLAN)]
    stages = COPY_NOTE + _stages() if copies else ""
    hashed = {path.with_name(HASHES.name): dump(hashes(plan)) for path, plan in plans.items()}
    return {path: dump(plan) for path, plan in plans.items()} | hashed | dict.fromkeys(copies, stages)


def _stages() -> str:
    try:
        return STAGES.read_text(encoding="utf-8")
    except OSError as error:
        raise DGRError(f"{STAGES} cannot be read ({error.strerror}); run from the repository's top folder.") from error


def _left_over(suites: list[Suite]) -> list[Path]:
    kept = {SHARED, *(suite_folder(suite.name) for suite in suites)}
    return sorted(path.parent for path in SUITES.glob(f"*/{PLAN}") if path.parent not in kept)
