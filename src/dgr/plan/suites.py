"""Which suites there are: those of ``paper_configs``, and quick looks at them with a few seeds."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dgr.core.errors import DGRError, nearest
from dgr.core.paths import DEFAULT_SUITE, SHARED, SUMMARIES

QUICK = re.compile(r"(?P<of>.+)-seeds-(?P<seeds>\d+(-\d+)*)")
"""The name of a quick look says all of it."""
FEWEST_SEEDS = 2
FEWEST_FOR_A_VERDICT = 6
"""Seeds below which no paired test can decide at 5 %: without assuming normality p is at least ``2^(1−n)``."""
LONGEST_NAME = 200
"""Characters of a quick look's name: stages add their own, and a file's name has at most 255 bytes."""
RESERVED = (SHARED.name, SUMMARIES.name, "differences")
"""Folders beside those of suites."""


class Suite(NamedTuple):
    """A suite and where it is described.

    Attributes:
        name: e.g. ``mini``, or ``mini-seeds-0-1`` for a quick look.
        of: its folder in ``paper_configs``.
        seeds: a quick look's, in place of the configured ones.
    """

    name: str
    of: str
    seeds: tuple[int, ...] | None = None


def find_suites(configs: Path) -> list[Suite]:
    """All suites in ``paper_configs``, in alphabetical order.

    Raises:
        DGRError: the folder is missing, or a suite has the name of something else.
    """
    if not configs.is_dir():
        raise DGRError(f"The folder {configs} is missing; run from the repository's top folder.")
    names = sorted(path.name for path in configs.iterdir() if path.is_dir())
    for name in names:
        if name in RESERVED or QUICK.fullmatch(name):
            raise DGRError(f"{configs / name}: a suite cannot be called '{name}'; rename the folder.")
    return [Suite(name, name) for name in names]


def find_suite(name: str, configs: Path) -> Suite:
    """A configured suite, or a quick look at one.

    Raises:
        DGRError: there is none of that name.
    """
    match = QUICK.fullmatch(name)
    suite = Suite(name, match["of"], tuple(map(int, match["seeds"].split("-")))) if match else Suite(name, name)
    if suite.of not in (known := [each.name for each in find_suites(configs)]):
        raise DGRError(f"Unknown suite '{suite.of}'{nearest(suite.of, known)}")
    return suite


def quick_look(suite: str, seeds: str, configs: Path) -> Suite:
    """The quick look at a suite with a few seeds, such as ``0,1``.

    Raises:
        DGRError: the suite is unknown, the seeds are not numbers, or too few to tell a difference from chance.
    """
    numbers = re.split(r"[,\s]+", seeds.strip())
    if not all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        raise DGRError(
            f"Seeds are whole numbers below a billion with commas between them, such as 0,1, but '{seeds:.80}' was "
            "given."
        )
    chosen = sorted({int(number) for number in numbers})
    if len(chosen) < FEWEST_SEEDS:
        raise DGRError(f"One seed ({chosen[0]}) has no spread, and no test can be made of it; name two, such as 0,1.")
    name = f"{suite}-seeds-{'-'.join(map(str, chosen))}"
    if len(name) > LONGEST_NAME:
        raise DGRError(
            f"A quick look has few seeds, and {len(chosen)} are too many for its name; name fewer, such as 0,1."
        )
    return find_suite(name, configs)


def choose_suite(suite: str | None, seeds: str | None, configs: Path) -> Suite | None:
    """What ``dgr plan --suite NAME --seeds 0,1`` is about: all suites, where neither is given.

    Raises:
        DGRError: an unknown suite, or seeds that cannot be used.
    """
    if seeds is not None:
        return quick_look(DEFAULT_SUITE if suite is None else suite, seeds, configs)
    return None if suite is None else find_suite(suite, configs)


@contextmanager
def names_its_file(path: Path) -> Iterator[None]:
    """A mistake in a file names the file, also one that shows only when its settings are put together.

    A method, an encoder or a kind of data set is a file, so that a name may be too long for the system.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        name = Path(str(error.filename)).stem
        raise DGRError(f"{path}: '{name:.40}…' is too long for a name; correct it.") from error
    except DGRError as error:
        told = str(error)
        raise DGRError(told if str(path) in told else f"{path}: {told}") from error
