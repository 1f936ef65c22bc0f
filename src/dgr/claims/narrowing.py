"""Claims as a suite can decide them that runs only some of the methods."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dgr.claims.comparisons import AnyComparison, CostComparison, PairedComparison, StudyComparison
from dgr.claims.schema import Claim, Claims


def measured_by(claims: Claims, suite: str, runs: bool, times_steps: bool, probed: bool = True) -> list[Claim]:
    """The claims that a suite's runs or costs decide: costs are measured in one suite and runs in others.

    Args:
        claims: as written.
        suite: its name; claims of other suites are none of it. A quick look decides what its suite decides.
        runs: whether the suite has runs.
        times_steps: whether it measures costs.
        probed: whether representations are; without, runs decide what is about Δm alone.
    """

    def is_measured(comparison: AnyComparison) -> bool:
        if isinstance(comparison, CostComparison):
            return times_steps
        return runs and (probed or getattr(comparison, "measure", None) == "delta_m")

    told: list[Claim] = []
    for claim in claims.claims:
        if is_of_studies(claim) or (claim.suites is not None and suite.partition("-seeds-")[0] not in claim.suites):
            continue
        kept = list(filter(is_measured, claim.comparisons))
        told += [claim.model_copy(update={"comparisons": kept})] if kept else []
    return told


def of_runs(claims: Iterable[Claim], cells: Collection[tuple[str, str]]) -> list[Claim]:
    """Each comparison over those of its methods that the suite runs on both sides.

    Configuration decides, never what was found: a configured run without a record is still missed. Where a suite has
    none of a comparison's methods, the comparison stays as it is, and is not run.

    Args:
        claims: see :func:`measured_by`.
        cells: method and regularizer of every run of the suite.
    """
    return [_claim(claim, cells) for claim in claims]


def of_studies(claims: Claims, suite: str) -> list[Claim]:
    """The claims that a suite's studies decide."""

    def is_of_suite(comparison: AnyComparison) -> bool:
        return isinstance(comparison, StudyComparison) and comparison.study.startswith(f"{suite}-")

    return [claim for claim in claims.claims if all(map(is_of_suite, claim.comparisons))]


def is_of_studies(claim: Claim) -> bool:
    """Whether studies decide a claim, and not runs of a table; never both."""
    return any(isinstance(comparison, StudyComparison) for comparison in claim.comparisons)


def _claim(claim: Claim, cells: Collection[tuple[str, str]]) -> Claim:
    return claim.model_copy(update={"comparisons": [_comparison(one, cells) for one in claim.comparisons]})


def _comparison(comparison: AnyComparison, cells: Collection[tuple[str, str]]) -> AnyComparison:
    if not isinstance(comparison, PairedComparison):
        return comparison
    sides = (comparison.treatment, comparison.reference)
    methods = [
        method
        for method in comparison.methods
        if all((side.method or method, side.regularizer) in cells for side in sides)
    ]
    return comparison.model_copy(update={"methods": methods}) if methods else comparison
