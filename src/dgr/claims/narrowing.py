"""Claims as a suite can decide them that runs only some of the methods."""

from __future__ import annotations

from collections.abc import Collection

from dgr.claims.schema import Claim, Claims, CostComparison, PairedComparison

Cell = tuple[str, str]
"""Method and regularizer."""


def narrowed(claims: Claims, cells: Collection[Cell]) -> Claims:
    """The same claims, each comparison over those of its methods that the suite is configured to run on both sides.

    Configuration decides, never what was found: a configured run without a record is still missed. Where a suite has
    none of a comparison's methods, the comparison stays as it is, and is not run.

    Args:
        claims: as written.
        cells: method and regularizer of every run of the suite.
    """
    return Claims(claims=[_claim(claim, cells) for claim in claims.claims])


def _claim(claim: Claim, cells: Collection[Cell]) -> Claim:
    return claim.model_copy(update={"comparisons": [_comparison(one, cells) for one in claim.comparisons]})


def _comparison(
    comparison: PairedComparison | CostComparison, cells: Collection[Cell]
) -> PairedComparison | CostComparison:
    if isinstance(comparison, CostComparison):
        return comparison
    sides = (comparison.treatment, comparison.reference)
    methods = [
        method
        for method in comparison.methods
        if all((side.method or method, side.regularizer) in cells for side in sides)
    ]
    return comparison.model_copy(update={"methods": methods}) if methods else comparison
