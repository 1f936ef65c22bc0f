"""The table ``claims``: what the papers claim, what decides it, what was found, and the verdict."""

from __future__ import annotations

import pandas as pd

from dgr.claims import CLAIMS_FILE, PairedComparison, Verdict
from dgr.claims.cost import LEAST_ROUNDS, LEAST_SECONDS
from dgr.records.names import method_label
from dgr.records.scope import Scope
from dgr.tables.shared.rendering import Table
from dgr.tables.shared.verdicts import (
    NATS,
    claim_label,
    expected,
    found_numbers,
    found_texts,
    reason_notes,
    rule_notes,
    source_notes,
    unit_of,
    verdicts_in,
)

NAMES = ("claims",)


def build(scope: Scope) -> Table:
    """One row a test of :data:`dgr.claims.CLAIMS_FILE`.

    Raises:
        DGRError: the file is wrong, or a record holds NaN.
    """
    found = verdicts_in(scope)
    ids = list(dict.fromkeys(verdict.claim.id for verdict in found))
    return Table(
        data=pd.DataFrame([_numbers(scope, verdict) for verdict in found]),
        text=pd.DataFrame([_text(verdict) for verdict in found]),
        groups=[ids.index(verdict.claim.id) for verdict in found],
        title=f"Claims and verdicts (data set {scope.dataset}, architecture {scope.encoder}).",
        notes=_notes(found),
        records=[[verdict.comparison.id] for verdict in found],
        only_in_csv=("Claim",),
    )


def _text(verdict: Verdict) -> dict[str, str]:
    comparison = verdict.comparison
    texts = found_texts(verdict, unit_of(comparison) if isinstance(comparison, PairedComparison) else NATS)
    if verdict.ratio is not None:
        ratio = verdict.ratio
        texts |= {"Ours": f"ratio {ratio.median:.2f}", "Interval": f"[{ratio.low:.2f}, {ratio.high:.2f}]"}
    return {
        "No.": comparison.id,
        "Claim": claim_label(verdict),
        "Comparison": comparison.question,
        "Claimed": expected(verdict),
        **texts,
        "Verdict": verdict.decision,
    }


def _numbers(scope: Scope, verdict: Verdict) -> dict[str, object]:
    return {
        "dataset": scope.dataset,
        "architecture": scope.architecture,
        "claim": verdict.claim.id,
        "about": verdict.claim.about,
        "comparison": verdict.comparison.id,
        "expected": expected(verdict),
        **found_numbers(verdict),
        "ratio": verdict.ratio.median if verdict.ratio else None,
        "ratio_low": verdict.ratio.low if verdict.ratio else None,
        "ratio_high": verdict.ratio.high if verdict.ratio else None,
        "rounds": verdict.ratio.rounds if verdict.ratio else None,
        "verdict": verdict.decision,
        "reason": verdict.reason,
    }


def _notes(found: list[Verdict]) -> list[str]:
    notes = [
        *source_notes(found),
        f"The comparisons stand in {CLAIMS_FILE.as_posix()} since before this suite's first results. What was known "
        "then stands there; what was changed since, in docs/replication.md.",
    ]
    if any(isinstance(verdict.comparison, PairedComparison) for verdict in found):
        notes += [
            "Ours: mean over seeds of the difference, the first minus the second, test split, last epoch; a mean over "
            "tasks, methods and classifiers, where there are several. Points are percentage points, of Δm or of "
            "accuracy. n: seeds; the strength was chosen once, and another choice of it is not in the interval.",
            *rule_notes(found),
            _lists(found),
            "A suite that runs only some of a comparison's methods decides it over those. T7 has the tests in full.",
        ]
    if any(verdict.ratio for verdict in found):
        notes.append(
            "Ratios of seconds per step: median of the ratios within a round, in which both sides were timed one after "
            "another, on one machine; the interval is made of order statistics, at one minus the claim's error over "
            "the number of its ratios. Supported where all of it is at most the bound, opposite where all of it is "
            f"above. A step shorter than {1000 * LEAST_SECONDS:.0f} ms or fewer than {LEAST_ROUNDS} rounds decide "
            "nothing."
        )
    return notes + reason_notes(found)


def _lists(found: list[Verdict]) -> str:
    """Which methods each comparison is about, once for all that share them."""
    methods: dict[str, list[str]] = {}
    for verdict in found:
        if isinstance(verdict.comparison, PairedComparison):
            names = ", ".join(map(method_label, verdict.comparison.methods))
            methods.setdefault(names, []).append(verdict.comparison.id)
    return "Methods: " + "; ".join(f"{names} in {', '.join(ids)}" for names, ids in methods.items()) + "."
