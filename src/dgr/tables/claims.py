"""The table ``claims``: what the papers claim, what decides it, what was found, and the verdict."""

from __future__ import annotations

import pandas as pd

from dgr.claims import CLAIMS_FILE, Claims, CostComparison, PairedComparison, Verdict, load_claims, run_verdicts
from dgr.claims.narrowing import measured_by, of_runs
from dgr.comparison import NARROW
from dgr.records.names import method_label
from dgr.records.scope import Scope
from dgr.tables.shared.rendering import Table, interval_text, signed
from dgr.tables.shared.verdicts import found_numbers, levels_text, source_notes, with_count

NAMES = ("claims",)
UNITS = {"delta_m": (1.0, "points", 2), "probe_accuracy": (100.0, "points", 2)}
NATS = (1.0, "nats", 3)
"""Of all other measures: scale to the printed unit, the unit, decimals."""


def build(scope: Scope) -> Table:
    """One row a comparison of :data:`dgr.claims.CLAIMS_FILE`.

    Raises:
        DGRError: the file is wrong, or a record holds NaN.
    """
    claims = measured_by(load_claims(CLAIMS_FILE), scope.suite, bool(scope.runs), bool(scope.costs))
    found = run_verdicts(scope.records, of_runs(Claims(claims=claims), set(scope.cells())))
    ids = list(dict.fromkeys(verdict.claim.id for verdict in found))
    return Table(
        data=pd.DataFrame([_numbers(scope, verdict) for verdict in found]),
        text=pd.DataFrame([_text(verdict) for verdict in found]),
        groups=[ids.index(verdict.claim.id) for verdict in found],
        title=f"Claims and verdicts (data set {scope.dataset}, architecture {scope.encoder}).",
        notes=_notes(found),
        records=[[verdict.comparison.id] for verdict in found],
    )


def _ours(verdict: Verdict) -> str:
    """What was found, as text: a mean difference with its unit and the tests behind it, or ratios."""
    if verdict.ratios:
        ends = sorted({f"{ratio:.2f}" for ratio in (min(verdict.ratios.values()), max(verdict.ratios.values()))})
        return f"ratio {' to '.join(ends)}"
    if verdict.mean is None or not isinstance(verdict.comparison, PairedComparison):
        return "–"
    scale, unit, digits = UNITS.get(verdict.comparison.measure, NATS)
    text = f"{signed(scale * verdict.mean, digits)} {unit}"
    return with_count(text, verdict)


def _interval(verdict: Verdict) -> str:
    """The interval of the mean difference, in the unit of "Ours"; a dash without one."""
    if verdict.low is None or verdict.high is None or not isinstance(verdict.comparison, PairedComparison):
        return "–"
    scale, _, digits = UNITS.get(verdict.comparison.measure, NATS)
    return interval_text(scale * verdict.low, scale * verdict.high, digits)


def _expected(verdict: Verdict) -> str:
    """What the claim expects of the comparison."""
    comparison = verdict.comparison
    if isinstance(comparison, CostComparison):
        return f"at most {comparison.at_most:.2f}"
    return comparison.direction


def _text(verdict: Verdict) -> dict[str, str]:
    return {
        "No.": verdict.comparison.id,
        "Claim": verdict.claim.title,
        "Comparison": verdict.comparison.question,
        "Claimed": _expected(verdict),
        "Ours": _ours(verdict),
        "Interval": _interval(verdict),
        "n": str(verdict.n) if verdict.n else "–",
        "Verdict": verdict.decision,
    }


def _numbers(scope: Scope, verdict: Verdict) -> dict[str, object]:
    return {
        "dataset": scope.dataset,
        "architecture": scope.architecture,
        "claim": verdict.claim.id,
        "comparison": verdict.comparison.id,
        "expected": _expected(verdict),
        **found_numbers(verdict),
        "smallest_ratio": min(verdict.ratios.values(), default=None),
        "largest_ratio": max(verdict.ratios.values(), default=None),
        "verdict": verdict.decision,
        "reason": verdict.reason,
    }


def _notes(found: list[Verdict]) -> list[str]:
    notes = [
        *source_notes(found),
        f"The comparisons were fixed in {CLAIMS_FILE.as_posix()} before this suite's first results, with the level "
        f"{levels_text(found)} for all tests of a claim together (Holm), not for all claims. "
        "What was known then stands there; what was changed since, in docs/replication.md.",
        "Ours are also the bounds on costs and every comparison with the norm control: reproduced and contradicted "
        "mean there that the criterion is met or missed.",
        *(_of_seeds(found) if any(isinstance(v.comparison, PairedComparison) for v in found) else []),
        "Reproduced: every test of the comparison goes the claimed way (adjusted p of the paired t-test below the "
        "level, interval on that side of zero). Contradicted: at least one goes the other way. Otherwise "
        "inconclusive. Withdrawn: a review showed that these results cannot carry a verdict; the reason stands below, "
        "and the numbers stay to be seen. Not run: the suite does not hold the records that the comparison needs. "
        "After Holm's method the t-test rests on about normal differences: an exact test of so few seeds could not "
        "pass several tests.",
    ]
    if any(verdict.ratios for verdict in found):
        notes.append(
            "Ratios of seconds per step were measured on one machine and have no interval; one within the tolerance of "
            "its bound decides nothing."
        )
    reasons: dict[str, list[str]] = {}
    for verdict in found:
        if verdict.reason:
            reasons.setdefault(verdict.reason, []).append(verdict.comparison.id)
    texts = [f"{', '.join(ids)}: {reason}." for reason, ids in reasons.items()]
    return notes + ([f"Reasons. {' '.join(texts)}"] if texts else [])


def _of_seeds(found: list[Verdict]) -> list[str]:
    """What is to be said of comparisons of seeds, and not of costs."""
    return [
        "Ours: mean over seeds of the difference, the first minus the second, test split, last epoch, in points "
        "(percentage points) or nats; a mean over tasks, methods and classifiers, where there are several. (k of m): "
        "tests that go the claimed way, where they are several. Interval: BCa bootstrap of that mean at one minus the "
        f"level, seeds as units, not adjusted; with few seeds it is too narrow ({NARROW}). n: seeds, which repeat "
        "initialisation, dummies and batch order on one fixed split, with the strength chosen once; neither another "
        "split nor another choice of strength is in the interval.",
        _lists(found),
        "A suite that runs only some of a comparison's methods decides it over those.",
    ]


def _lists(found: list[Verdict]) -> str:
    """Which methods each comparison is about, once for all that share them."""
    methods: dict[str, list[str]] = {}
    for verdict in found:
        if isinstance(verdict.comparison, PairedComparison):
            names = ", ".join(map(method_label, verdict.comparison.methods))
            methods.setdefault(names, []).append(verdict.comparison.id)
    return "Methods: " + "; ".join(f"{names} in {', '.join(ids)}" for names, ids in methods.items()) + "."
