"""What is timed in a cost measurement, by name."""

from __future__ import annotations

from typing import NamedTuple

PLAIN_METHOD = "equal_weighting"
"""Of which every time is told as a multiple; controls and the authors' procedure are timed with it."""


class Case(NamedTuple):
    """One row of a cost measurement.

    Attributes:
        method: its name.
        regularizer: its name, or :data:`dgr.config.runs.RELEASED`.
        dummies: number of dummy sets, 0 without any.
    """

    method: str
    regularizer: str
    dummies: int = 0
