"""Whether DVC finds everything of a suite to be as its ``dvc.lock`` says: what the Snakefile asks at its end.

``python -m dgr.plan.lock_check SUITE_FOLDER [STAGE …]`` asks in one process, since DVC's start and its reading of all
suites' stages take longer than the answers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from dgr.core.paths import SHARED, STAGES


def compare_with_lock() -> None:
    """Exit 1 and name the stages that DVC would run, unless those that check the plans are all that was missing."""
    folder, alone = Path(sys.argv[1]), sys.argv[2:]
    try:
        if found := outdated(folder, alone):
            from dgr.plan.graph import CHECK  # not before: its imports take longer than all else here but DVC

            checks = [f"{place / STAGES}:{CHECK}" for place in (SHARED, folder)]
            Repo().reproduce(checks, single_item=True)
            found = outdated(folder, alone)
    except DvcException as error:
        sys.exit(f"DVC cannot compare the suite with its dvc.lock: {error}")
    if found:
        sys.exit(f"Not as dvc.lock says, so that DVC would run it again: {', '.join(found)}.")


def outdated(folder: Path, alone: list[str]) -> list[str]:
    """The stages that DVC would run. What is large of trained runs may be missing.

    Args:
        folder: of a suite, whose stages are asked about with all that comes before them.
        alone: addresses of stages that are asked about by themselves, such as the index: what lies before it is of all
            suites.
    """
    repo = Repo()
    found = repo.reproduce(str(folder / STAGES), dry=True, allow_missing=True)
    if alone:
        found += repo.reproduce(alone, dry=True, single_item=True)
    return [stage.addressing for stage in found]


if __name__ == "__main__":
    compare_with_lock()
