"""Tasks that no head is trained on, made from the labels of those that are, as the file of a kind of data set says.

Such a file may declare ``UNSEEN``: by name of the task, the rule that makes it, which readers see as its label, and a
note on why it is asked. A rule compares two tasks' labels sample by sample, such as ``"left > right"``, and has two
classes. Nothing is imported, so that a probe depends on the file of its own kind and on no reader of other data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dgr.core.errors import DGRError, nearest
from dgr.core.registry import Listing

KNOWN_KINDS = Listing("dgr.datasets.kinds", "kind of data set")
ClassLabels = NDArray[np.int64]
SIGNS: dict[str, Callable[[Any, Any], Any]] = {">": np.greater, "<": np.less, "==": np.equal}


class Unseen(NamedTuple):
    """A task of ``UNSEEN``.

    Attributes:
        label: its rule, and what readers see.
        note: why it is asked, as a part of a sentence.
    """

    label: str
    note: str


@cache
def unseen_tasks(kind: str | None = None) -> dict[str, Unseen]:
    """What a kind declares, or all of them together, by name of the task.

    Raises:
        DGRError: there is no such kind.
    """
    kinds = KNOWN_KINDS if kind is None else [kind]
    return {task: Unseen(*told) for name in kinds for task, told in KNOWN_KINDS.declared(name, "UNSEEN", {}).items()}


def unseen_task(name: str) -> Unseen:
    """A task that some kind declares.

    Raises:
        DGRError: none does.
    """
    known = unseen_tasks()
    if name not in known:
        raise DGRError(f"No file in {KNOWN_KINDS.folder} declares the unseen task '{name}'{nearest(name, known)}")
    return known[name]


def add_unseen(kind: str, labels: Mapping[str, ClassLabels]) -> dict[str, ClassLabels]:
    """The labels ``(samples,)`` of a data set's own tasks and of those that its kind derives from them.

    Raises:
        DGRError: there is no such kind, or a rule is none.
    """
    return {**labels, **{task: _derived(task, unseen.label, labels) for task, unseen in unseen_tasks(kind).items()}}


def _derived(task: str, rule: str, labels: Mapping[str, ClassLabels]) -> ClassLabels:
    match rule.split():
        case [first, sign, second] if sign in SIGNS and {first, second} <= set(labels):
            derived: ClassLabels = SIGNS[sign](labels[first], labels[second]).astype(np.int64)
            return derived
    raise DGRError(
        f"The rule '{rule}' of the unseen task '{task}' must be one task, one of {' '.join(SIGNS)}, and another task."
    )
