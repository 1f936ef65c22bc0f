"""Whether DVC finds everything of a suite to be as its ``dvc.lock`` says: what the Snakefile asks at its end.

``python -m dgr.plan.checkout.lock_check SUITE_FOLDER [STAGE …]`` asks in one process, since DVC's start and its reading
of all suites' stages take longer than the answers. With ``--list`` before them it prints what is there and is not as
the lock says, one stage a line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from dvc.stage import Stage

from dgr.core.paths import DEFAULT_SUITE, SHARED, STAGES
from dgr.plan.checkout.at_work import alone
from dgr.plan.checkout.leftovers import remove_unfinished
from dgr.plan.checkout.settled import settle


def compare_with_lock() -> None:
    """Exit 1 and name the stages that DVC would run, unless those that check the plans are all that was missing."""
    folder, by_themselves = Path(sys.argv[1]), sys.argv[2:]
    try:
        if found := outdated(folder, by_themselves):
            from dgr.plan.graph import CHECK  # not before: its imports take longer than all else here but DVC

            checks = [f"{place / STAGES}:{CHECK}" for place in (SHARED, folder)]
            Repo().reproduce(checks, single_item=True)
            found = outdated(folder, by_themselves)
    except DvcException as error:
        sys.exit(f"DVC cannot compare the suite with its dvc.lock: {error}")
    if found:
        sys.exit(
            f"Not as dvc.lock says, so that DVC would run it again: {', '.join(found)}; "
            f"run `dvc repro {' '.join(found)}`, and this again."
        )
    with alone() as nobody_else:
        if nobody_else:
            settle(folder.name or DEFAULT_SUITE)
            own = [stage for stage in Repo().index.stages if Path(stage.relpath) == folder / STAGES]
            remove_unfinished({stage.addressing.partition("@")[2] for stage in own})


def print_changed() -> None:
    """Print the stages of which something is there that is not as their lock says, one a line."""
    repo = Repo()
    found: dict[str, Any] = {}
    with lock_repo(repo):
        for stage in _stages_up_to(repo.index.graph, Path(sys.argv[2]) / STAGES, sys.argv[3:]):
            found |= stage.status(check_updates=True)
    print(*(address for address, changes in found.items() if any(map(_is_there, changes))), sep="\n")


def _stages_up_to(graph: Mapping[Stage, Iterable[Stage]], file: Path, by_themselves: list[str]) -> set[Stage]:
    """A file's stages and all that come before them, and some that are asked about by themselves.

    ``Repo.status`` gives the same, but copies the graph of all suites' stages once for each stage of the file.
    """
    found = front = {stage for stage in graph if Path(stage.relpath) == file}
    while front:
        front = {before for stage in front for before in graph[stage]} - found
        found = found | front
    return found | {stage for stage in graph if stage.addressing in by_themselves}


def _is_there(change: Any) -> bool:
    """Whether a change is another than that a file or a cached content is missing, which Snakemake sees by itself."""
    if isinstance(change, dict):
        return any(map(_is_there, change.values()))
    return change not in ("deleted", "not in cache")


def outdated(folder: Path, by_themselves: list[str]) -> list[str]:
    """The stages that DVC would run. What is large of trained runs may be missing.

    Args:
        folder: of a suite, whose stages are asked about with all that comes before them.
        by_themselves: addresses of stages that are asked about by themselves, such as the index: what lies before it is
            of all suites.
    """
    repo = Repo()
    found = repo.reproduce(str(folder / STAGES), dry=True, allow_missing=True)
    if by_themselves:
        found += repo.reproduce(by_themselves, dry=True, single_item=True)
    return [stage.addressing for stage in found]


if __name__ == "__main__":
    print_changed() if sys.argv[1] == "--list" else compare_with_lock()
