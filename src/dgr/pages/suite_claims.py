"""What all suites say of each claim: the verdicts and numbers of every suite whose claims have been decided."""

from __future__ import annotations

from typing import Any, NamedTuple

from dgr.claims import CLAIMS_FILE, Claim, load_claims, own_tests
from dgr.claims.comparisons import AnyComparison
from dgr.claims.narrowing import is_of_studies
from dgr.config.plan_file import Plan
from dgr.pages.comparisons import decided_claims

DecidedSuites = dict[str, dict[str, dict[str, Any]]]
"""By suite and comparison, the row of the suite's claims table."""
OF_RUNS = {
    "paper": "What the DGR paper claims",
    "control": "DGR against a control",
    "own": "Questions of our own",
}
OF_STUDIES = {
    "paper": "What the other papers claim",
    "control": "Other papers, against a control",
    "own": "Other questions of our own",
}


HEADINGS = [*OF_RUNS.values(), *OF_STUDIES.values()]


def heading_of(claim: Claim) -> str:
    """Whose claim it is, for readers."""
    return (OF_STUDIES if is_of_studies(claim) else OF_RUNS)[claim.about]


class ClaimTest(NamedTuple):
    """One test of a claim, and where it was decided first."""

    claim: Claim
    comparison: AnyComparison
    suite: str

    @property
    def heading(self) -> str:
        """Whose claim it is, for readers."""
        return heading_of(self.claim)


def decided_suites(plan: Plan) -> DecidedSuites:
    """Every suite with a page whose claims have been decided, in the order of the plan: the default one first.

    Raises:
        DGRError: a claims table is damaged.
    """
    found = {suite: decided_claims(suite) for suite in plan["audits"]}
    return {suite: rows for suite, rows in found.items() if rows}


def decided_tests(decided: DecidedSuites) -> list[ClaimTest]:
    """Every test that some suite has decided, by whose claim it is and in the order of the claims file.

    Raises:
        DGRError: ``claims.yaml`` is wrong.
    """
    found = []
    for claim in map(own_tests, load_claims(CLAIMS_FILE).claims):
        for comparison in claim.comparisons:
            suites = [
                suite for suite, rows in decided.items() if verdict_in(rows, comparison.id) not in (None, "not run")
            ]
            if suites:
                found.append(ClaimTest(claim, comparison, suites[0]))
    return sorted(found, key=lambda one: HEADINGS.index(one.heading))


def verdict_in(rows: dict[str, dict[str, Any]], comparison: str) -> str | None:
    """A suite's verdict; None where the suite does not test that."""
    return rows[comparison]["verdict"] if comparison in rows else None


class ClaimRow(NamedTuple):
    """A test of a claim and its verdicts, by suite; a suite that does not test it is left out."""

    heading: str
    id: str
    question: str
    verdicts: dict[str, str]


def claim_rows(found: dict[str, dict[str, str]]) -> list[ClaimRow]:
    """Every test that some suite has in its summary, by whose claim it is and in the order of the claims file.

    Args:
        found: by suite and comparison, the verdict.

    Raises:
        DGRError: ``claims.yaml`` is wrong.
    """
    if not CLAIMS_FILE.exists():
        return []
    rows = [
        ClaimRow(heading_of(claim), one.id, one.question, verdicts)
        for claim in map(own_tests, load_claims(CLAIMS_FILE).claims)
        for one in claim.comparisons
        if (verdicts := {suite: own[one.id] for suite, own in found.items() if one.id in own})
    ]
    return sorted(rows, key=lambda row: HEADINGS.index(row.heading))
