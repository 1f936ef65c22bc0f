"""What the records say on one comparison of a claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from dgr.claims.schema import AnyComparison, Claim
from dgr.comparison import Comparison

Decision = Literal["reproduced", "contradicted", "inconclusive", "withdrawn", "not run"]


class NotRunError(Exception):
    """Records that a comparison needs are not there; says which."""


@dataclass(frozen=True)
class Verdict:
    """What the records say on one comparison of a claim.

    Attributes:
        claim, comparison: the entries of ``claims.yaml``.
        decision: the verdict.
        reason: why it is not 'reproduced' or what is missing, and whether equivalence is shown; may be empty. Of a
            verdict that is 'withdrawn', why it is.
        n: seeds of a paired comparison; 0 for costs and where nothing was run.
        mean, low, high: mean difference treatment − reference over all tests and its BCa interval; None without.
        tests: the tests that belong to this comparison; empty for costs.
        ratios: cost ratios by number of dummies.
    """

    claim: Claim
    comparison: AnyComparison
    decision: Decision
    reason: str
    n: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    tests: tuple[Comparison, ...] = ()
    ratios: dict[int, float] = field(default_factory=dict)


def decision_of(sides: Iterable[int]) -> Decision:
    """From each test's side: 1 as claimed, −1 the other way, 0 undecided."""
    found = set(sides)
    if found == {1}:
        return "reproduced"
    return "contradicted" if -1 in found else "inconclusive"
