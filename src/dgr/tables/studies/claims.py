"""The table of claims that studies decide."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from dgr.claims import CLAIMS_FILE, StudyComparison, Verdict, load_claims, study_verdicts
from dgr.claims.narrowing import of_studies
from dgr.comparison import NARROW
from dgr.config.plan_file import read_plan
from dgr.config.study_report import MeasureText
from dgr.core import paths
from dgr.records.records import configured_measurements
from dgr.records.study_records import StudyRecords, load_study
from dgr.tables.shared.rendering import Table, interval_text, signed, write
from dgr.tables.shared.verdicts import found_numbers, levels_text, source_notes, with_count

Studies = Mapping[str, StudyRecords]


def write_study_claims(suite: str) -> list[Path]:
    """Make ``results/SUITE/tables/claims.{csv,md,tex,json}``, the same bytes every time.

    Raises:
        DGRError: the records of a study are missing or not those of the plan.
    """
    studies = {key: load_study(key) for key in configured_measurements(read_plan(), "studies", suite)}
    frames = {key: study.frame for key, study in studies.items()}
    found = study_verdicts(frames, of_studies(load_claims(CLAIMS_FILE), suite))
    table = study_claims_table(suite, studies, found)
    return write(table, paths.tables_folder(suite) / "claims", f"tab:{suite}-claims")


def study_claims_table(suite: str, studies: Studies, found: list[Verdict]) -> Table:
    """One row a comparison."""
    ids = list(dict.fromkeys(verdict.claim.id for verdict in found))
    return Table(
        data=pd.DataFrame([_numbers(verdict) for verdict in found]),
        text=pd.DataFrame([_text(studies, verdict) for verdict in found]),
        groups=[ids.index(verdict.claim.id) for verdict in found],
        title=f"Claims that the studies of suite {suite} decide, and verdicts.",
        notes=_notes(found),
        records=[[comparison.id, comparison.study] for comparison in map(_comparison, found)],
    )


def _comparison(verdict: Verdict) -> StudyComparison:
    assert isinstance(verdict.comparison, StudyComparison)
    return verdict.comparison


def _text(studies: Studies, verdict: Verdict) -> dict[str, str]:
    comparison = _comparison(verdict)
    ours = interval = "–"
    if verdict.mean is not None and verdict.low is not None and verdict.high is not None:
        told = _measure(studies, comparison)
        # A difference of percentages is in points.
        unit = f" {'points' if told.unit == '%' else told.unit}" if told.unit else ""
        ours = with_count(f"{signed(told.scale * verdict.mean, told.digits)}{unit}", verdict)
        interval = interval_text(told.scale * verdict.low, told.scale * verdict.high, told.digits)
    return {
        "No.": comparison.id,
        "Claim": verdict.claim.title,
        "Comparison": comparison.question,
        "Claimed": comparison.direction,
        "Ours": ours,
        "Interval": interval,
        "n": str(verdict.n) if verdict.n else "–",
        "Verdict": verdict.decision,
    }


def _measure(studies: Studies, comparison: StudyComparison) -> MeasureText:
    return studies[comparison.study].measure(comparison.measure)


def _numbers(verdict: Verdict) -> dict[str, object]:
    comparison = _comparison(verdict)
    return {
        "study": comparison.study,
        "claim": verdict.claim.id,
        "comparison": comparison.id,
        "measure": comparison.measure,
        "expected": comparison.direction,
        **found_numbers(verdict),
        "verdict": verdict.decision,
        "reason": verdict.reason,
    }


def _notes(found: list[Verdict]) -> list[str]:
    levels = levels_text(found)
    notes = [
        *source_notes(found),
        "Ours: mean over seeds of the first minus the second, averaged over settings, levels and references. (k of m): "
        "tests that go the claimed way, where there are several references; a verdict needs each. Interval: BCa "
        f"bootstrap of that average at one minus the level {levels}, seeds as units, not adjusted; with few seeds it "
        f"is too narrow ({NARROW}). n: seeds. All tests of a claim are one family (Holm); the level holds for a claim, "
        "not for all of them.",
        "Reproduced: every test goes the claimed way (adjusted p of the paired t-test below the level, interval on "
        "that side of zero). Contradicted: at least one goes the other way. Otherwise inconclusive. Withdrawn: a "
        "review showed that these results cannot carry a verdict; the reason stands below, and the numbers stay to be "
        "seen. After Holm's method the t-test rests on about normal differences: an exact test of so few seeds could "
        "not pass several.",
    ]
    reasons = [f"{v.comparison.id}: {v.reason}." for v in found if v.reason]
    return notes + ([f"Reasons. {' '.join(reasons)}"] if reasons else [])
