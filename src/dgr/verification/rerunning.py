"""Runs units again, in a place of their own, with the same commands as the pipeline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from tqdm import tqdm

import dgr
from dgr.core import paths
from dgr.core.errors import DGRError
from dgr.plan.warm import ADDRESS, Warm
from dgr.verification.places import Place, datasets_of

Command = tuple[Path, tuple[str, ...]]
"""A folder and the arguments of ``python -m dgr`` in it."""


def run_again(places: Iterable[Place], cores: int) -> None:
    """Run all commands of some places, those of one phase beside each other.

    Args:
        places: folders that hold a plan, and what its commands need.
        cores: how many commands at a time, each with one thread.

    Raises:
        DGRError: a command failed; with what it said last. The others are stopped.
    """
    places = list(places)
    for phase in range(max((len(place.phases) for place in places), default=0)):
        commands = [
            (place.folder, arguments)
            for place in places
            for arguments in (place.phases[phase] if phase < len(place.phases) else [])
        ]
        _run_all(commands, cores)


def _run_all(commands: list[Command], cores: int) -> None:
    running: set[subprocess.Popen[str]] = set()
    lock, stopped = Lock(), False

    def run(command: Command) -> None:
        folder, arguments = command
        with lock:
            if stopped:
                return
            process = subprocess.Popen(
                [sys.executable, "-m", "dgr", *arguments],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            running.add(process)
        _, errors = process.communicate()
        with lock:
            running.discard(process)
            if process.returncode and not stopped:
                last = (errors.strip().splitlines() or [f"exit status {process.returncode}"])[-1]
                said = last.removeprefix("dgr: ").rstrip(".")
                raise DGRError(f"`python -m dgr {' '.join(arguments)}` failed when it was run again: {said}.")

    with ThreadPoolExecutor(cores) as pool:
        try:
            waiting = [pool.submit(run, command) for command in commands]
            for done in tqdm(as_completed(waiting), "Running again", len(waiting), leave=False, disable=None):
                done.result()
        finally:
            # After a failure or Ctrl-C nothing goes on behind the user's back; else nothing is left to stop.
            with lock:
                stopped = True
                for process in running:
                    process.terminate()


@contextmanager
def warmed() -> Iterator[None]:
    """Let commands be forks of one process that has the libraries, of this code's whatever is installed.

    They start in folders of their own, so that no path of this process may depend on where it was started.
    """
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    absolute = [str(Path(path).resolve()) for path in others]
    source = str(Path(dgr.__file__).parents[1])
    before = dict(os.environ)
    os.environ |= {"PYTHONPATH": os.pathsep.join([source, *absolute]), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    warm = Warm()
    os.environ[ADDRESS] = warm.address
    try:
        yield
    finally:
        warm.stop()
        os.environ.clear()
        os.environ.update(before)


def prepare_data(places: list[Place], scratch: Path, cores: int) -> list[str]:
    """What the places read, in ``scratch/data``: made anew where code makes it, else a link to what is prepared here.

    Args:
        places: at least one.
        scratch: where they lie.
        cores: how many commands at a time.

    Returns:
        The names of the data sets.

    Raises:
        DGRError: a data set that has to be fetched has not been prepared, or preparing fails.
    """
    names = sorted({name for place in places for name in datasets_of(place.plan)})
    commands: list[Command] = []
    (scratch / paths.DATA).mkdir(exist_ok=True)
    for name in names:
        if name in places[0].plan["datasets"]:
            commands.append((places[0].folder, ("prepare", name)))
        elif (there := (paths.DATA / name).resolve()).is_dir():
            (scratch / paths.DATA / name).symlink_to(there)
        else:
            raise DGRError(
                f"{paths.DATA / name} is not here, and its source has to be fetched: run "
                f"`python -m dgr prepare {name}`, or check the committed files alone with --sample 0."
            )
    _run_all(commands, cores)
    return names
