"""What each stage's command does before and after its work: one process at a time, also where somebody types it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dgr.core.errors import DGRError
from dgr.core.files import cannot_write
from dgr.core.paths import CONFIGS, DEFAULT_SUITE, PLAN, SHARED, SUITES
from dgr.plan.checkout.at_work import LOCKS, UNDER_DVC, WAIT, alone, release, say_that_it_waits, shared, wait_for
from dgr.plan.checkout.dvc_at_work import mend_list, user_of
from dgr.plan.checkout.leftovers import remove_leftovers
from dgr.plan.checkout.planned import is_noted, note, plan_state
from dgr.plan.checkout.settled import unsettle
from dgr.plan.system import check_disk

if TYPE_CHECKING:
    from typer import Typer

INTERRUPTED = 128 + signal.SIGINT
"""The command line's exit status after Ctrl-C, of which it says nothing itself."""


@contextmanager
def stage_at_work(app: Typer, panel: str, arguments: Sequence[str]) -> Iterator[None]:
    """Hold a stage while its command runs; nothing for other commands.

    Another process that is at the same stage is waited for: its work need not be done again.

    Args:
        app: the command line.
        panel: under which its help lists the stages.
        arguments: the command, such as ``train KEY``.

    Raises:
        DGRError: the checkout cannot be written, or its disk is full.
    """
    if not _is_stage(app, panel, arguments):
        yield
        return
    check_disk()
    name, *keys = _without_options(arguments)
    try:
        file = wait_for(f"{name}@{'-'.join(keys)}", ["dgr", *arguments])
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise DGRError(f"No stage has so long a name as '{name} {keys[0]:.40}…'; `dgr list` names all.") from error
        raise cannot_write(LOCKS, error) from error
    try:
        if UNDER_DVC not in os.environ:
            _wait_for_dvc(keys)
        mend_list()
        with alone() as nobody_else:
            if nobody_else:
                remove_leftovers()
        with shared():
            unsettle()
            yield
            unsettle()
    except SystemExit as ended:
        if ended.code == INTERRUPTED and UNDER_DVC not in os.environ:
            print("dgr: interrupted; what is finished stays. Give the same command again.", file=sys.stderr)
        raise
    finally:
        release(file)


def check_typed(app: Typer, panel: str, arguments: Sequence[str]) -> None:
    """Refuse a stage that somebody types after a change of ``paper_configs`` and before ``dgr plan``.

    The engines ask this before their first stage, and need not ask again. What fetches reads no plan. In a place
    without configuration, such as where a run is made again to be compared, the plan is what was put there.

    Args:
        app: as for :func:`stage_at_work`.
        panel: as there.
        arguments: as there.

    Raises:
        DGRError: the plan of the stage's suite is not current.
    """
    name, *keys = [*_without_options(arguments)] or [""]
    typed = UNDER_DVC not in os.environ and _is_stage(app, panel, arguments) and name != "fetch"
    if not (typed and keys and any(CONFIGS.glob("*.yaml"))):
        return
    key = "-".join(keys)
    suites = (DEFAULT_SUITE, *(path.parent.name for path in SUITES.glob(f"*/{PLAN}") if path.parent != SHARED))
    own = [suite for suite in suites if f"{key}-".startswith(f"{suite}-")]
    suite = max(own, key=len, default=SHARED.name)
    if is_noted(suite, state := plan_state(suite)):
        return
    # In a process of its own: a result's manifest names the code that was loaded, which is that of its stage alone.
    command = [sys.executable, "-m", "dgr", "plan", "--check", "--suite", suite]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    if done.returncode:
        told = done.stderr.strip().rpartition("\n")[2].removeprefix("dgr: ")
        raise DGRError(told or f"`{' '.join(command[1:])}` ended with status {done.returncode} and said nothing.")
    note(suite, state)


def _is_stage(app: Typer, panel: str, arguments: Sequence[str]) -> bool:
    return bool(arguments) and arguments[0] in _stages(app, panel) and "--help" not in arguments


def _stages(app: Typer, panel: str) -> set[str]:
    parts = [app, *(group.typer_instance for group in app.registered_groups)]
    commands = [command for part in parts if part for command in part.registered_commands]
    named = [(command.name, command.callback) for command in commands if command.rich_help_panel == panel]
    return {name or callback.__name__.replace("_", "-") for name, callback in named if callback}


def _without_options(arguments: Sequence[str]) -> Iterator[str]:
    """The words that are no options such as ``--device cpu``: these change how, not what."""
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            yield word
        elif "=" not in word:
            next(words, None)


def _wait_for_dvc(keys: Sequence[str]) -> None:
    """DVC writes what a stage has made into its cache, and must not lose it meanwhile."""
    told = False
    while worker := user_of(keys):
        told = told or say_that_it_waits(worker)
        time.sleep(WAIT)
