"""What the tables of claims say of verdicts, whether runs or studies decide them."""

from __future__ import annotations

from dgr.claims import Verdict


def with_count(text: str, verdict: Verdict) -> str:
    """The text, with how many tests go the claimed way where they are several."""
    if len(verdict.tests) == 1:
        return text
    count = sum(test.outcome == "better" for test in verdict.tests)
    return f"{text} ({count} of {len(verdict.tests)})"


def found_numbers(verdict: Verdict) -> dict[str, object]:
    """Columns of what the tests of a comparison found."""
    outcomes = [test.outcome for test in verdict.tests]
    return {
        "n": verdict.n,
        "difference": verdict.mean,
        "low": verdict.low,
        "high": verdict.high,
        "largest_holm_p": max((test.holm_p for test in verdict.tests), default=None),
        "tests": len(outcomes),
        "better": outcomes.count("better"),
        "worse": outcomes.count("worse"),
    }


def source_notes(found: list[Verdict]) -> list[str]:
    """Each paper with its claims, once."""
    claims = {verdict.claim.id: verdict.claim for verdict in found}
    papers: dict[str, list[str]] = {}
    for claim in claims.values():
        papers.setdefault(claim.paper, []).append(f"{claim.id}: {claim.text}")
    return [f"Source: {paper}, in our words. {' '.join(texts)}" for paper, texts in papers.items()]


def levels_text(found: list[Verdict]) -> str:
    """The levels of the claims."""
    return ", ".join(f"{level:g}" for level in sorted({verdict.claim.alpha for verdict in found}))
