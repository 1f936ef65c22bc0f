"""What the records say on one comparison of a claim."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dgr.claims.comparisons import AnyComparison, Decided
from dgr.claims.schema import Claim
from dgr.comparison import Comparison
from dgr.comparison.over_methods import OverMethods
from dgr.comparison.ratios import RatioInterval

Decision = Decided | Literal["not run"]


class NotRunError(Exception):
    """Records that a comparison needs are not there; says which."""


@dataclass(frozen=True)
class Verdict:
    """What the records say on one comparison of a claim.

    Attributes:
        claim, comparison: the entries of ``claims.yaml``; a comparison that ``each`` or several references make many of
            is one of them.
        decision: the verdict.
        reason: why nothing could be decided, or what is missing; may be empty.
        test: the test that decides it; None for costs and where nothing was run or averaged.
        by_method: mean difference of each method that the comparison averages; empty without.
        over_methods: what the methods say together, with the interval for methods like them; None for fewer than three.
        test_set_se: standard error that the choice of test samples adds; None where samples' answers are not recorded.
        ratio: of a comparison of costs, the median ratio within a round and its interval.
        by_seed: the differences themselves, by method and seed, in the recorded unit: under ``""`` those that are
            tested, and where several methods are averaged also those of each; empty where nothing was compared.
    """

    claim: Claim
    comparison: AnyComparison
    decision: Decision
    reason: str = ""
    test: Comparison | None = None
    by_method: dict[str, float] = field(default_factory=dict)
    over_methods: OverMethods | None = None
    test_set_se: float | None = None
    ratio: RatioInterval | None = None
    by_seed: dict[str, dict[int, float]] = field(default_factory=dict)
