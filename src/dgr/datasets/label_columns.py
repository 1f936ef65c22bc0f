"""A column of labels and the task that it makes: classes, or numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from dgr.config.parsing import Strict
from dgr.core.errors import DGRError, nearest
from dgr.core.task import LARGEST, VOID, Task


class _Column(Strict):
    name: Annotated[str, Field(pattern=r"^[^\W\d]\w*$")]
    """Of the task: letters, digits and underscores."""
    column: str | None = None
    """Where its labels stand; the column of the task's name unless told."""

    @property
    def place(self) -> str:
        """The column's name."""
        return self.column or self.name


class ClassColumn(_Column):
    """Labels of a task of classification."""

    kind: Literal["classification"]
    classes: Annotated[int, Field(ge=2)] | Annotated[list[str], Field(min_length=2)]
    """How many there are, where labels are whole numbers from 0; or their names."""

    @field_validator("classes")
    @classmethod
    def _names_differ(cls, classes: int | list[str]) -> int | list[str]:
        if isinstance(classes, list) and (len(set(classes)) < len(classes) or not all(classes)):
            raise ValueError("names of classes must differ, and none may be empty")
        return classes

    @property
    def task(self) -> Task:
        """The task."""
        return Task(self.name, self.kind, self.classes if isinstance(self.classes, int) else len(self.classes))

    def read(self, cell: str, where: str) -> int:
        """The class that a cell names; −1 where it is empty.

        Raises:
            DGRError: it names none.
        """
        if not cell:
            return VOID
        if isinstance(self.classes, list):
            if cell not in self.classes:
                raise DGRError(f"{where} holds '{cell}', no class of '{self.name}'{nearest(cell, self.classes)}")
            return self.classes.index(cell)
        number = _number(cell)
        if not (number.is_integer() and 0 <= number < self.classes):
            raise DGRError(f"{where} holds '{cell}', but '{self.name}' has the classes 0 to {self.classes - 1}.")
        return int(number)

    def targets(self, labels: Sequence[float]) -> NDArray[np.generic]:
        """As the task's loss wants them: ``(samples,)``, −1 where there is none."""
        return np.array(labels, np.int64)


class NumberColumn(_Column):
    """Targets of a task of regression."""

    kind: Literal["regression"]

    @property
    def task(self) -> Task:
        """The task."""
        return Task(self.name, self.kind)

    def read(self, cell: str, where: str) -> float:
        """The number in a cell; NaN where it is empty.

        Raises:
            DGRError: it holds no finite number.
        """
        number = _number(cell)
        if cell and not abs(number) <= LARGEST:
            raise DGRError(
                f"{where} holds '{cell}', but '{self.name}' wants finite numbers; leave empty what is not known."
            )
        return number

    def targets(self, labels: Sequence[float]) -> NDArray[np.generic]:
        """As the task's loss wants them: ``(samples, 1)``, NaN where there is none."""
        return np.array(labels, np.float32)[:, None]


def _number(cell: str) -> float:
    """NaN where it is none; Python itself would read ``1_000`` as a number."""
    try:
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan
