"""Checks of the numbers a user passes to a method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

from dgr.core.errors import DGRError, nearest
from dgr.core.task import Task


def number(method: str, option: str, value: object, *, above: float = -math.inf, at_least: float = -math.inf) -> float:
    """The value as a float, if it is a finite number inside the bounds.

    Raises:
        DGRError: naming the method, the option, the value and the bound.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise DGRError(f"Option '{option}' of method '{method}' must be a finite number, but is {value!r}.")
    if value <= above:
        raise DGRError(f"Option '{option}' of method '{method}' must be greater than {above:g}, but is {value!r}.")
    if value < at_least:
        raise DGRError(f"Option '{option}' of method '{method}' must be at least {at_least:g}, but is {value!r}.")
    return float(value)


def boolean(method: str, option: str, value: object) -> bool:
    """The value, if it is true or false.

    Raises:
        DGRError: naming the method, the option and the value.
    """
    if not isinstance(value, bool):
        raise DGRError(f"Option '{option}' of method '{method}' must be true or false, but is {value!r}.")
    return value


def main_task(method: str, value: object) -> str:
    """The value, if it is the name of a task: methods that serve one task above the others need to be told which.

    Raises:
        DGRError: naming the method.
    """
    if not isinstance(value, str) or not value:
        raise DGRError(f"Method '{method}' serves one main task; name it with the option 'main_task'.")
    return value


def main_index(method: str, name: str, tasks: Sequence[Task]) -> int:
    """Which of the tasks the main one is.

    Raises:
        DGRError: naming the method, what it was given and the nearest task.
    """
    names = [task.name for task in tasks]
    if name not in names:
        raise DGRError(f"The main task '{name}' of method '{method}' is no task here{nearest(name, names)}.")
    return names.index(name)


def positive_integer(method: str, option: str, value: object) -> int:
    """The value, if it is an integer of at least one.

    Raises:
        DGRError: naming the method, the option and the value.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise DGRError(f"Option '{option}' of method '{method}' must be an integer of at least 1, but is {value!r}.")
    return value
