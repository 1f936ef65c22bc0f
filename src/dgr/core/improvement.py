"""Signed relative improvement, the unit in which metrics of different tasks can be averaged."""

from __future__ import annotations

from collections.abc import Mapping

from dgr.core.errors import DGRError


def relative_improvement(value: float, reference: float, higher_is_better: bool) -> float:
    """``±100 (value − reference) / |reference|`` in percent; positive is better.

    Raises:
        DGRError: the reference is zero, so that no relative change exists.
    """
    if reference == 0:
        raise DGRError("A relative change to a reference value of 0 is not defined; check the reference runs.")
    change = 100 * (value - reference) / abs(reference)
    return change if higher_is_better else -change


def mean_relative_improvement(
    values: Mapping[str, float], reference: Mapping[str, float], higher_is_better: Mapping[str, bool]
) -> float:
    """Δm: the mean over tasks of :func:`relative_improvement`, in percent.

    Args:
        values: the primary metric of each task.
        reference: the same tasks' metric of the reference, e.g. single-task learning.
        higher_is_better: the direction of each task's metric.

    Raises:
        DGRError: the reference of a task, which it names, is zero.
    """
    for task, value in reference.items():
        if value == 0:
            raise DGRError(
                f"The reference of task '{task}' has a metric of exactly 0, to which no change is relative; "
                "train the reference for longer, or leave the task out."
            )
    changes = [relative_improvement(values[task], reference[task], higher_is_better[task]) for task in reference]
    return sum(changes) / len(changes)
