"""What one check found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dgr.core.errors import DGRError


@dataclass
class Finding:
    """One line of the result.

    Attributes:
        check: what was looked at.
        compared: how many files, rows or numbers.
        problems: one sentence each; none where all is well.
        notes: what else is worth knowing.
        open: why it could not be looked at; empty where it was.
    """

    check: str
    compared: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    open: str = ""

    @property
    def result(self) -> str:
        """``passed``, ``failed`` or ``not checked``."""
        return "failed" if self.problems else "not checked" if self.open else "passed"

    def expect(self, holds: bool, problem: str) -> None:
        """Count one thing that was looked at, and keep the sentence where it does not hold."""
        self.compared += 1
        if not holds and problem not in self.problems:
            self.problems.append(problem)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn the sentence of a :class:`DGRError` into a problem, and count one thing that was looked at."""
        try:
            yield
        except DGRError as error:
            self.expect(False, str(error))
        else:
            self.compared += 1


def shortened(items: Iterable[object], most: int = 3) -> str:
    """The first few, separated by semicolons, and how many more there are."""
    texts = list(map(str, items))
    return "; ".join(texts[:most]) + (f"; and {len(texts) - most} more" if len(texts) > most else "")
