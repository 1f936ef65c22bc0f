"""T7: the tests that decide the claims, in full, and what each method adds to them."""

from __future__ import annotations

import pandas as pd

from dgr.claims import PairedComparison, Verdict
from dgr.comparison import Comparison
from dgr.comparison.over_methods import without_each
from dgr.comparison.sign_flip import EXACT_UP_TO
from dgr.core.errors import DGRError
from dgr.records.names import method_label
from dgr.records.scope import Scope
from dgr.tables.shared.rendering import Table, interval_text, signed
from dgr.tables.shared.verdicts import found_numbers, found_texts, reason_notes, rule_notes, unit_of, verdicts_in

NAMES = ("T7",)
ONLY_IN_CSV = ("d_z", "p (t)", "p (sign flip)", "By method", "For methods like these", "Test set")
DecidedRow = tuple[Verdict, PairedComparison, Comparison]


def build(scope: Scope) -> Table:
    """One row a test over seeds of the claims that this suite decides: the same family, numbers and verdict as there.

    Raises:
        DGRError: there is no test, or a record holds NaN.
    """
    rows: list[DecidedRow] = [
        (verdict, verdict.comparison, verdict.test)
        for verdict in verdicts_in(scope)
        if isinstance(verdict.comparison, PairedComparison) and verdict.test is not None
    ]
    if not rows:
        raise DGRError(f"{scope.name} has no test to show in suite '{scope.suite}'; configure what a claim compares.")
    claims = list(dict.fromkeys(verdict.claim.id for verdict, _, _ in rows))
    return Table(
        data=pd.DataFrame([_numbers(scope, *row) for row in rows]),
        text=pd.DataFrame([_text(*row) for row in rows]),
        groups=[claims.index(verdict.claim.id) for verdict, _, _ in rows],
        title=f"The tests behind the claims (data set {scope.dataset}, architecture {scope.encoder}).",
        notes=_notes(rows),
        records=[[comparison.id] for _, comparison, _ in rows],
        only_in_csv=ONLY_IN_CSV,
    )


def _numbers(scope: Scope, verdict: Verdict, comparison: PairedComparison, test: Comparison) -> dict[str, object]:
    together = verdict.over_methods
    return {
        "dataset": scope.dataset,
        "architecture": scope.architecture,
        "claim": verdict.claim.id,
        "comparison": comparison.id,
        "measure": comparison.measure,
        **found_numbers(verdict),
        "effect_size": test.effect,
        "wilcoxon_p": test.wilcoxon_p,
        "methods_df": together.df if together else None,
        "by_method": _listed(verdict.by_method),
        "without_method": _listed(without_each(verdict.by_method)),
        "verdict": verdict.decision,
        "reason": verdict.reason,
    }


def _listed(values: dict[str, float]) -> str:
    """``equal_weighting:0.3125 imtl:-0.1``, in recorded units."""
    return " ".join(f"{name}:{value:.6g}" for name, value in values.items())


def _text(verdict: Verdict, comparison: PairedComparison, test: Comparison) -> dict[str, str]:
    scale, unit, digits = unit_of(comparison)
    found, together = found_texts(verdict, (scale, unit, digits)), verdict.over_methods
    by_method = (f"{method_label(name)} {signed(scale * value, digits)}" for name, value in verdict.by_method.items())
    return {
        "No.": comparison.id,
        "Comparison": comparison.question,
        "n": found["n"],
        "Difference": found["Ours"],
        "Interval": found["Interval"],
        "Confidence": f"{test.confidence:.2%}",
        "d_z": signed(test.effect),
        "p (t)": _p_text(test.p),
        "p (t, Holm)": _p_text(test.holm_p),
        "p (sign flip)": _p_text(test.sign_flip_p),
        "p (TOST, Holm)": _p_text(test.holm_equivalence_p),
        "By method": ", ".join(by_method),
        "For methods like these": (
            interval_text(scale * together.low, scale * together.high, digits) if together else "–"
        ),
        "Test set": "–" if verdict.test_set_se is None else f"{scale * verdict.test_set_se:.{digits}f}",
        "Verdict": verdict.decision,
    }


def _p_text(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _notes(rows: list[DecidedRow]) -> list[str]:
    found = [verdict for verdict, _, _ in rows]
    sizes: dict[str, int] = {}
    for verdict in found:
        sizes[verdict.claim.id] = sizes.get(verdict.claim.id, 0) + 1
    families = ", ".join(f"{claim} ({size} {'test' if size == 1 else 'tests'})" for claim, size in sizes.items())
    return [
        "Difference: mean over seeds of the first minus the second, paired by seed; tasks, methods and classifiers of "
        "a seed are averaged first. Test split, last epoch. Points are percentage points, of Δm or of accuracy.",
        f"Families: {families}; each row is one test, with the number, interval and verdict that the claims have.",
        *rule_notes(found),
        "d_z: mean over standard deviation of the differences, with Hedges' correction. p (sign flip): of the test "
        f"that assumes no more than symmetry, not adjusted; all signs are counted up to n = {EXACT_UP_TO}. p (TOST, "
        "Holm): of two one-sided t-tests against the region, adjusted over the family's tests of that kind.",
        "By method: the mean difference of each method that the row averages. For methods like these: the interval of "
        "the same mean where methods and seeds both count as drawn at random, at the row's confidence; from three "
        "methods on. Test set: standard error that the choice of test samples adds; –: not measured.",
        *reason_notes(found),
    ]
