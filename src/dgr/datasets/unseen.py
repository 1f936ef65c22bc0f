"""Tasks that no head is trained on, made from the labels of those that are, as the file of a kind of data set says.

Such a file may declare ``UNSEEN``: by name of the task, how readers call it, the rule that makes it, and a note on why
it is asked. A rule is one of two sentences about labels, sample by sample, with blanks between its words:

- ``left + right >= 10``: two classes. On each side of ``> >= < <= ==`` stand tasks or whole numbers, joined by ``+``;
- ``left in 0 6 9 | 8``: one class for each group of labels between bars, after class 0 for all other labels.

Nothing is imported, so that a probe depends on the file of its own kind and on no reader of other data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dgr.core.errors import DGRError, nearest
from dgr.core.registry import Listing

KNOWN_KINDS = Listing("dgr.datasets.kinds", "kind of data set")
ClassLabels = NDArray[np.int64]
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
}
BAR = "|"


class Unseen(NamedTuple):
    """A task of ``UNSEEN``.

    Attributes:
        label: how readers call it.
        rule: what makes it.
        note: why it is asked, as a part of a sentence.
    """

    label: str
    rule: str
    note: str

    @property
    def classes(self) -> int:
        """How many classes it has."""
        return 2 + self.rule.split().count(BAR)


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
    return {**labels, **{task: derived(task, unseen.rule, labels) for task, unseen in unseen_tasks(kind).items()}}


def derived(task: str, rule: str, labels: Mapping[str, ClassLabels]) -> ClassLabels:
    """The labels ``(samples,)`` that a rule makes.

    Args:
        task: its name, for a message.
        rule: as the module's docstring says.
        labels: of the tasks that it may name.

    Raises:
        DGRError: it is no rule, or names another task.
    """
    words = rule.split()
    match words:
        case [first, "in", *groups] if first in labels:
            found = _groups(labels[first], groups)
        case _:
            found = _compared(words, labels)
    if found is None:
        raise DGRError(
            f"The rule '{rule}' of the unseen task '{task}' must be like 'left + right >= 10' or 'left in 0 6 9 {BAR} "
            f"8', with tasks among {', '.join(labels)}, whole numbers and one of {' '.join(SIGNS)}."
        )
    return found


def _groups(labels: ClassLabels, words: Sequence[str]) -> ClassLabels | None:
    """The number of each label's group, from 1 on, 0 where it is in none; None for an empty group or a label twice."""
    groups = [part.split() for part in " ".join(words).split(BAR)]
    members = [label for group in groups for label in group]
    if not all(groups) or not all(map(str.isdecimal, members)) or len(set(members)) < len(members):
        return None
    found = np.zeros(len(labels), np.int64)
    for number, group in enumerate(groups, start=1):
        found[np.isin(labels, [int(label) for label in group])] = number
    return found


def _compared(words: Sequence[str], labels: Mapping[str, ClassLabels]) -> ClassLabels | None:
    """1 where the comparison holds, 0 elsewhere; None for what is none, or names no task."""
    signs = [place for place, word in enumerate(words) if word in SIGNS]
    if len(signs) != 1 or not set(words) & set(labels):
        return None
    sides = [_sum(side, labels) for side in (words[: signs[0]], words[signs[0] + 1 :])]
    if any(side is None for side in sides):
        return None
    size = len(next(iter(labels.values())))
    return np.broadcast_to(SIGNS[words[signs[0]]](*sides), size).astype(np.int64)


def _sum(words: Sequence[str], labels: Mapping[str, ClassLabels]) -> Any:
    """The sum of tasks and whole numbers, None for what is none."""
    terms, joints = words[::2], words[1::2]
    known = all(term in labels or term.isdecimal() for term in terms)
    if not known or len(terms) != len(joints) + 1 or set(joints) - {"+"}:
        return None
    return sum(labels[term] if term in labels else int(term) for term in terms)
