"""What the tables of claims and of tests say of verdicts, whether runs or studies decide them."""

from __future__ import annotations

import math

from dgr.claims import CLAIMS_FILE, CostComparison, PairedComparison, Verdict, load_claims, run_verdicts
from dgr.claims.narrowing import measured_by, of_runs
from dgr.comparison.family import region_text
from dgr.comparison.over_methods import without_each
from dgr.records.scope import Scope
from dgr.tables.shared.rendering import interval_text, signed

PrintedUnit = tuple[float, str, int]
"""Scale from recorded to printed numbers, the printed unit, decimals."""
UNITS: dict[str, PrintedUnit] = {"delta_m": (1.0, "Δm points", 2), "probe_accuracy": (100.0, "accuracy points", 2)}
NATS: PrintedUnit = (1.0, "nats", 3)
"""Of all other measures of runs."""
ABOUT = {"paper": "", "control": " (control)", "own": " (own question)"}


def verdicts_in(scope: Scope) -> list[Verdict]:
    """The verdicts that the runs or costs of a table's scope give; the same for every table of a suite.

    Raises:
        DGRError: ``claims.yaml`` is wrong, or a record holds NaN.
    """
    measured = bool(scope.runs), bool(scope.costs), bool(scope.probes)
    claims = measured_by(load_claims(CLAIMS_FILE), scope.suite, *measured)
    return run_verdicts(scope.records, of_runs(claims, set(scope.cells())))


def unit_of(comparison: PairedComparison) -> PrintedUnit:
    """In which unit differences of a comparison of runs are printed."""
    return UNITS.get(comparison.measure, NATS)


def claim_label(verdict: Verdict) -> str:
    """A claim's title, with what it is about where no paper says it."""
    return verdict.claim.title + ABOUT[verdict.claim.about]


def expected(verdict: Verdict) -> str:
    """What the claim expects of the comparison."""
    comparison = verdict.comparison
    if isinstance(comparison, CostComparison):
        return f"at most {comparison.at_most:.2f}"
    return {"none": "no difference"}.get(comparison.direction, comparison.direction)


def found_texts(verdict: Verdict, unit: PrintedUnit) -> dict[str, str]:
    """What the deciding test found, as readers see it; dashes without a test."""
    scale, name, digits = unit
    test, comparison = verdict.test, verdict.comparison
    if test is None or isinstance(comparison, CostComparison):
        return dict.fromkeys(("Ours", "Interval", "Region", "Detectable", "n"), "–")
    return {
        "Ours": f"{signed(scale * test.estimate, digits)} {name}".rstrip(),
        "Interval": interval_text(scale * test.low, scale * test.high, digits),
        "Region": region_text(scale * comparison.region, digits),
        "Detectable": "–" if math.isnan(test.detectable) else f"{scale * test.detectable:.{digits}f}",
        "n": str(test.n),
    }


def found_numbers(verdict: Verdict) -> dict[str, object]:
    """Columns of what the deciding test found, in recorded units; empty cells without a test."""
    test, together = verdict.test, verdict.over_methods
    left_out = without_each(verdict.by_method)
    return {
        "n": test.n if test else None,
        "difference": test.estimate if test else None,
        "low": test.low if test else None,
        "high": test.high if test else None,
        "confidence": test.confidence if test else None,
        "region": None if isinstance(verdict.comparison, CostComparison) else verdict.comparison.region,
        "detectable": test.detectable if test else None,
        "p": test.p if test else None,
        "holm_p": test.holm_p if test else None,
        "sign_flip_p": test.sign_flip_p if test else None,
        "equivalence_p": test.equivalence_p if test else None,
        "holm_equivalence_p": test.holm_equivalence_p if test else None,
        "test_set_se": verdict.test_set_se,
        "methods_low": together.low if together else None,
        "methods_high": together.high if together else None,
        "without_one_low": min(left_out.values(), default=None),
        "without_one_high": max(left_out.values(), default=None),
    }


def source_notes(found: list[Verdict]) -> list[str]:
    """Each paper with its claims, once."""
    claims = {verdict.claim.id: verdict.claim for verdict in found}
    papers: dict[str, list[str]] = {}
    for claim in claims.values():
        papers.setdefault(claim.paper, []).append(f"{claim.id}: {claim.text}")
    return [f"Source: {paper}, in our words. {' '.join(texts)}" for paper, texts in papers.items()]


def rule_notes(found: list[Verdict]) -> list[str]:
    """How the tests of these verdicts decide."""
    levels = ", ".join(f"{level:g}" for level in sorted({verdict.claim.alpha for verdict in found}))
    return [
        "A row is one test and shows that test's own interval. All tests of a claim are one family, with error "
        f"{levels} by Holm's method; the error holds for a claim, not for all of them.",
        "Verdict: no relevant difference where two one-sided tests (TOST) show that the difference lies within the "
        "region, also where it is not zero; the interval then lies within the region. Else supported or opposite where "
        "the paired t-test shows a difference on the claimed or on the other side; the interval then leaves out zero. "
        "Else undecided, which does not mean that there is no difference. Assay failed: a positive control does not "
        "show what is known, or runs of the reference collapsed. Not run: records that the row needs are not there.",
        "Region: a true difference within it is too small to matter; stated before the runs. Detectable: the smallest "
        "true difference that so many seeds with this spread find with probability 0.8 at the row's level.",
    ]


def reason_notes(found: list[Verdict]) -> list[str]:
    """Why rows are undecided, failed or not run; once for all that share a reason."""
    reasons: dict[str, list[str]] = {}
    for verdict in found:
        if verdict.reason:
            reasons.setdefault(verdict.reason, []).append(verdict.comparison.id)
    texts = [f"{', '.join(ids)}: {reason}." for reason, ids in reasons.items()]
    return [f"Reasons. {' '.join(texts)}"] if texts else []
