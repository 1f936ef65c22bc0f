"""The papers' claims: what they say, the comparison that decides each, and the verdict that the records give."""

from dgr.claims.decide import Verdict, decide, verdicts
from dgr.claims.schema import Claim, Claims, CostComparison, PairedComparison, StudyComparison, load_claims

__all__ = [
    "Claim",
    "Claims",
    "CostComparison",
    "PairedComparison",
    "StudyComparison",
    "Verdict",
    "decide",
    "load_claims",
    "verdicts",
]
