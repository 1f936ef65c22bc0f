"""What ``dgr plan`` writes: the plan of each suite, and a copy of the stages for each but the default one."""

from __future__ import annotations

import shutil
from pathlib import Path

from dgr.core.errors import DGRError
from dgr.core.files import write_text
from dgr.core.paths import CONFIGS, DEFAULT_SUITE, PLAN, SHARED, STAGES, SUITES, suite_folder
from dgr.plan.expand import dump, shared_plan, suite_plan
from dgr.plan.suites import QUICK, Suite, configured_suites, find_suite

HEAD = f"# A copy of the top folder's {STAGES}, made by `python -m dgr plan`: change that one, and run it again.\n"


def write_plans(suite: Suite | None = None) -> None:
    """Write the files of one suite, or of all; then folders of no suite go, quick looks among them.

    Raises:
        DGRError: a file of ``paper_configs`` is wrong, and nothing was written; or a file cannot be written.
    """
    suites = [suite] if suite else _configured()
    for path, text in _texts(suites).items():
        # A file that is right stays as it is: engines that go by its time have nothing to do again.
        if not path.is_file() or path.read_text() != text:
            write_text(path, text)
    if suite is None:
        for folder in _left_over(suites):
            shutil.rmtree(folder)


def check_plans(suite: Suite | None = None) -> None:
    """Check the files of one suite, or of all, quick looks among them.

    Raises:
        DGRError: one is not what ``paper_configs`` says, or belongs to no suite.
    """
    suites = [suite] if suite else _configured()
    if suite is None:
        for folder in _left_over(suites):
            if not QUICK.fullmatch(folder.name):
                raise DGRError(f"{folder} belongs to no suite of {CONFIGS}; run `python -m dgr plan`.")
            suites.append(find_suite(folder.name, CONFIGS))
    _check(_texts(suites))


def check_shared() -> None:
    """Check the plan of the data sets alone.

    Raises:
        DGRError: it is not what ``paper_configs`` says.
    """
    _check(_shared())


def _check(texts: dict[Path, str]) -> None:
    """Compare files with what they should be.

    Raises:
        DGRError: naming the first that differs.
    """
    for path, text in texts.items():
        if not path.is_file() or path.read_text() != text:
            look = f" --suite {path.parent.name}" if QUICK.fullmatch(path.parent.name) else ""
            raise DGRError(f"{path} is not current; run `python -m dgr plan{look}`.")


def _configured() -> list[Suite]:
    return [Suite(name, name) for name in configured_suites(CONFIGS)]


def _texts(suites: list[Suite]) -> dict[Path, str]:
    """By path; all of them are made before any is written."""
    texts = _shared()
    for suite in suites:
        folder = suite_folder(suite.name)
        texts[folder / PLAN] = dump(suite_plan(suite, CONFIGS))
        if suite.name != DEFAULT_SUITE:
            texts[folder / STAGES] = HEAD + _stages()
    return texts


def _shared() -> dict[Path, str]:
    return {SHARED / PLAN: dump(shared_plan(CONFIGS))}


def _stages() -> str:
    try:
        return STAGES.read_text()
    except OSError as error:
        raise DGRError(f"{STAGES} cannot be read ({error.strerror}); run from the repository's top folder.") from error


def _left_over(suites: list[Suite]) -> list[Path]:
    kept = {SHARED, *(suite_folder(suite.name) for suite in suites)}
    return sorted(path.parent for path in SUITES.glob(f"*/{PLAN}") if path.parent not in kept)
