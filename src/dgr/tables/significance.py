"""T7: is DGR, or a control, better than the method alone, and is DGR better than the controls?"""

from __future__ import annotations

import pandas as pd

from dgr.comparison import ALPHA, NARROW, Comparison, compare, paired_differences, smallest_p
from dgr.core.errors import DGRError
from dgr.records.names import method_label, regularizer_label
from dgr.records.scope import Scope
from dgr.tables.shared.rendering import Table, interval_text, signed

NAMES = ("T7",)
Contrast = tuple[str, str, str]
"""Method, regularizer, the regularizer (or none) it is compared with."""
FAMILIES = ("DGR against the method alone", "controls against the method alone", "DGR against controls")


def build(scope: Scope) -> Table:
    """Paired differences of Δm, one row a method and comparison.

    Raises:
        DGRError: nothing to compare, single-task learning was not run, or the two sides have different seeds.
    """
    rows = [
        {"dataset": scope.dataset, "architecture": scope.architecture, "family": family, **row}
        for family in FAMILIES
        for row in _rows(scope, [contrast for contrast in _contrasts(scope) if _family(contrast) == family])
    ]
    if not rows:
        raise DGRError(f"{scope.name} has nothing to compare in suite '{scope.suite}'; configure a regularizer.")
    data = pd.DataFrame(rows)
    return Table(
        data=data,
        text=_text(data),
        groups=[FAMILIES.index(family) for family in data["family"]],
        title=f"Paired comparisons of Δm on test (data set {scope.dataset}, architecture {scope.encoder}).",
        notes=_notes(data),
        records=[
            [scope.run_key(method, regularizer), scope.run_key(method, against)]
            for method, regularizer, against in data[["method", "regularizer", "against"]].itertuples(index=False)
        ],
    )


def _contrasts(scope: Scope) -> list[Contrast]:
    cells = scope.cells()
    with_none = [(method, name, "none") for method, name in cells if name != "none"]
    with_control = [
        (method, "dgr", name) for method, name in cells if name not in ("none", "dgr") and (method, "dgr") in cells
    ]
    return with_none + with_control


def _family(contrast: Contrast) -> str:
    _, regularizer, reference = contrast
    if reference != "none":
        return FAMILIES[2]
    return FAMILIES[0] if regularizer == "dgr" else FAMILIES[1]


def _rows(scope: Scope, contrasts: list[Contrast]) -> list[dict[str, object]]:
    values = scope.delta_m()
    differences = {
        "/".join(contrast): paired_differences(
            values.loc[(contrast[0], contrast[1])], values.loc[(contrast[0], contrast[2])]
        )
        for contrast in contrasts
    }
    tests = compare(differences, ALPHA)
    return [
        {"method": method, "regularizer": regularizer, "against": reference, **_numbers(test)}
        for (method, regularizer, reference), test in zip(contrasts, tests, strict=True)
    ]


def _numbers(test: Comparison) -> dict[str, object]:
    return {
        "n": test.n,
        "difference": test.mean,
        "low": test.low,
        "high": test.high,
        "effect_size": test.effect,
        "t_p": test.t_p,
        "wilcoxon_p": test.wilcoxon_p,
        "holm_p": test.holm_p,
        "verdict": test.outcome,
        "reason": test.reason,
    }


def _text(data: pd.DataFrame) -> pd.DataFrame:
    against = [
        f"{regularizer_label(name)} vs {'alone' if reference == 'none' else regularizer_label(reference)}"
        for name, reference in zip(data["regularizer"], data["against"], strict=True)
    ]
    intervals = [interval_text(low, high) for low, high in zip(data["low"], data["high"], strict=True)]
    return pd.DataFrame(
        {
            "Method": list(map(method_label, data["method"])),
            "Comparison": against,
            "n": list(map(str, data["n"])),
            "Difference of Δm": list(map(signed, data["difference"])),
            f"{1 - ALPHA:.0%} interval": intervals,
            "d_z": list(map(signed, data["effect_size"])),
            "p (t)": list(map(_p_text, data["t_p"])),
            "p (Wilcoxon)": list(map(_p_text, data["wilcoxon_p"])),
            "p (t, Holm)": list(map(_p_text, data["holm_p"])),
            "Verdict": list(data["verdict"]),
        }
    )


def _p_text(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _notes(data: pd.DataFrame) -> list[str]:
    sizes = data.groupby("family", sort=False).size()
    families = "; ".join(f"{family} ({size} {'test' if size == 1 else 'tests'})" for family, size in sizes.items())
    n, largest = int(data["n"].min()), int(sizes.max())
    notes = [
        "Difference: mean over seeds of Δm (percentage points) of the first minus the second; n is the number of "
        "seeds, each with the same initialisation and batch order on both sides; all share one split. A seed is one "
        "observation: its tasks are averaged in Δm. Test split, last epoch. Seeds repeat the training, not the choice "
        "of data set, split or strength of the regularizer.",
        f"Families, each with error {ALPHA:g} by Holm's method: {families}.",
        f"Interval: BCa bootstrap of the mean difference at {1 - ALPHA:.0%}, not adjusted for the family; with "
        f"few seeds it is too narrow ({NARROW}). "
        "d_z: mean over standard deviation of the differences with Hedges' correction.",
        f"Verdict: better or worse if the Holm-adjusted p of the paired t-test is below {ALPHA:g} and the interval "
        "leaves out zero on that side; otherwise inconclusive, which does not mean that there is no difference.",
        f"The Wilcoxon signed-rank test stands beside it, not adjusted: with n = {n} its p cannot fall below "
        f"{smallest_p(n):.2g}, which Holm's method for a family of {largest} turns into "
        f"{min(1.0, largest * smallest_p(n)):.2g}; the adjusted t-test assumes about normal differences.",
    ]
    reasons = [reason for reason in dict.fromkeys(data["reason"]) if reason and "adjusted p" not in reason]
    return [*notes, *([f"Also inconclusive: {'; '.join(reasons)}."] if reasons else [])]
