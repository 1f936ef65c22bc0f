"""What Snakemake does before it looks for work: it waits to be alone, and puts right what killed processes left."""

from __future__ import annotations

import atexit
import errno
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from dgr.core.errors import DGRError
from dgr.core.files import cannot_write
from dgr.core.paths import suite_folder
from dgr.plan.checkout.at_work import ENGINE, WAIT, Worker, alone, release, say_that_it_waits, stages_at_work, take
from dgr.plan.checkout.dvc_at_work import dvc_is_idle, mend_list, users
from dgr.plan.checkout.leftovers import remove_leftovers, remove_leftovers_of_dvc, remove_leftovers_of_snakemake
from dgr.plan.checkout.lock_files import mend_lock_files
from dgr.plan.checkout.settled import is_settled
from dgr.plan.checkout.time_stamps import mend_time_stamps

CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""A full disk most of all, or one that may not be written."""


def begin(suite: str, alone_asked: Iterable[str], dry: bool, redo: Callable[[list[str]], object]) -> None:
    """Take the checkout over for this process, which keeps it until its end.

    Args:
        suite: what is made.
        alone_asked: addresses of stages that DVC is asked about by themselves, such as the index.
        dry: nothing will be made: the checkout is looked at and not taken, and nobody is waited for.
        redo: is told the addresses of stages that are not as DVC recorded them; Snakemake may take them for made.

    Raises:
        DGRError: another Snakemake is at work here; says which process, and since when. Or the disk is full.
    """
    try:
        _begin(suite, alone_asked, dry, redo)
    except OSError as error:  # what follows would not even find room for its lock
        if error.errno not in CANNOT_WRITE:
            raise
        place = Path(error.filename) if isinstance(error.filename, str) else Path.cwd()
        raise cannot_write(place, error) from error


def _begin(suite: str, alone_asked: Iterable[str], dry: bool, redo: Callable[[list[str]], object]) -> None:
    program = Path(sys.argv[0]).name
    found = take(ENGINE, ["dgr" if program == "__main__.py" else program, *sys.argv[1:]])
    if isinstance(found, Worker):
        if dry:
            return
        raise DGRError(
            f"Snakemake is at work in this folder already: {found}; wait for it or end it, and run this again."
        )
    if not dry:
        atexit.register(release, found)
        # On a full disk Snakemake cannot write its log either, and would print a traceback for each line of it.
        logging.raiseExceptions = False
        _wait_for_others()
        _clean_up()
    if not is_settled(suite) and not (dry and users()):
        redo(_changed(suite, alone_asked))
    if dry:
        release(found)


def _wait_for_others() -> None:
    """Stages and DVC, whether somebody typed them or their engine was killed: they end, and what they did is used."""
    told = False
    while workers := [*stages_at_work(), *(worker for _, worker in users())]:
        told = told or say_that_it_waits(workers[0])
        time.sleep(WAIT)


def _clean_up() -> None:
    remove_leftovers_of_snakemake()
    mend_list()
    _tell(mend_time_stamps())
    with alone() as nobody_else:
        if nobody_else:
            remove_leftovers()
    with dvc_is_idle() as idle:
        if idle:
            remove_leftovers_of_dvc()
            _tell(mend_lock_files())


def _tell(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        print(f"dgr: {sentence}", file=sys.stderr, flush=True)


def _changed(suite: str, alone_asked: Iterable[str]) -> list[str]:
    """The stages that are not as DVC recorded them, asked in another process, since DVC changes much in its own.

    Raises:
        DGRError: DVC cannot say.
    """
    asked = ("dgr.plan.checkout.lock_check", "--list", str(suite_folder(suite)), *alone_asked)
    command = (sys.executable, "-m", "dgr.plan.warm", *asked)
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise DGRError(
            f"DVC cannot compare the suite {suite} with its dvc.lock: {said[-1].rstrip('.')}; where that is damaged, "
            f"get it back with `git checkout {suite_folder(suite) / 'dvc.lock'}`."
        )
    return done.stdout.split()
