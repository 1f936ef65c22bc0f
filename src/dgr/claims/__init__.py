"""The papers' claims: what they say, the comparison that decides each, and the verdict that the records give."""

from dgr.claims.comparisons import CostComparison, PairedComparison, StudyComparison
from dgr.claims.members import own_tests
from dgr.claims.runs import run_verdicts
from dgr.claims.schema import CLAIMS_FILE, Claim, Claims, load_claims
from dgr.claims.studies import study_verdicts
from dgr.claims.verdict import Verdict

__all__ = [
    "CLAIMS_FILE",
    "Claim",
    "Claims",
    "CostComparison",
    "PairedComparison",
    "StudyComparison",
    "Verdict",
    "load_claims",
    "own_tests",
    "run_verdicts",
    "study_verdicts",
]
