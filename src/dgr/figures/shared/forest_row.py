"""A row of a forest plot: what is drawn of one test of a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ForestRow:
    """A claim's test.

    Attributes:
        heading: under which rows stand together; rows of one heading follow each other.
        number: of the comparison, such as ``C2a``; no two rows have the same.
        label: what is compared.
        verdict: of the suite whose effect is drawn.
        verdicts: of each suite, in the order of the columns; None where it does not test this.
        home: the column of the suite whose effect is drawn.
        effect, low, high: estimate and interval in units of the region, to the right where they speak for the claim;
            None where there is no such test.
        seeds: differences by seed in the same unit.
        instead: what stands in the place of an effect.
        supported: how many of all tests of the claim are supported in that suite, such as ``1 of 8``.
    """

    heading: str
    number: str
    label: str
    verdict: str
    verdicts: Sequence[str | None]
    home: int
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: Sequence[float] = ()
    instead: str = ""
    supported: str = ""
