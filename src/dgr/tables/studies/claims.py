"""The table of claims that studies decide."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from dgr.claims import CLAIMS_FILE, StudyComparison, Verdict, load_claims, study_verdicts
from dgr.claims.narrowing import of_studies
from dgr.config.plan_file import read_plan
from dgr.config.study_report import MeasureText
from dgr.core import paths
from dgr.records.records import configured_studies
from dgr.records.study_records import StudyRecords, load_study
from dgr.tables.shared.rendering import Table, write
from dgr.tables.shared.verdicts import (
    claim_label,
    expected,
    found_numbers,
    found_texts,
    reason_notes,
    rule_notes,
    source_notes,
)

Studies = Mapping[str, StudyRecords]


def write_study_claims(suite: str) -> list[Path]:
    """Make ``results/SUITE/tables/claims.{csv,md,tex,json}``, the same bytes every time.

    Raises:
        DGRError: the records of a study are missing or not those of the plan.
    """
    studies = {key: load_study(key) for key in configured_studies(read_plan(), suite)}
    table = study_claims_table(suite, studies, verdicts_of_studies(suite, studies))
    return write(table, paths.tables_folder(suite) / "claims", f"tab:{suite}-claims")


def verdicts_of_studies(suite: str, studies: Studies) -> list[Verdict]:
    """The verdicts that the records of a suite's studies give.

    Raises:
        DGRError: ``claims.yaml`` is wrong, or a record holds NaN.
    """
    frames = {key: study.frame for key, study in studies.items()}
    return study_verdicts(frames, of_studies(load_claims(CLAIMS_FILE), suite))


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
        only_in_csv=("Claim",),
    )


def _comparison(verdict: Verdict) -> StudyComparison:
    assert isinstance(verdict.comparison, StudyComparison)
    return verdict.comparison


def _text(studies: Studies, verdict: Verdict) -> dict[str, str]:
    comparison, unit = _comparison(verdict), (1.0, "", 0)
    if verdict.test is not None:
        told = _measure(studies, comparison)
        # A difference of percentages is in points.
        unit = (told.scale, "points" if told.unit == "%" else told.unit, told.digits)
    return {
        "No.": comparison.id,
        "Claim": claim_label(verdict),
        "Comparison": comparison.question,
        "Claimed": expected(verdict),
        **found_texts(verdict, unit),
        "Verdict": verdict.decision,
    }


def _measure(studies: Studies, comparison: StudyComparison) -> MeasureText:
    return studies[comparison.study].measure(comparison.measure)


def _numbers(verdict: Verdict) -> dict[str, object]:
    comparison = _comparison(verdict)
    return {
        "study": comparison.study,
        "claim": verdict.claim.id,
        "about": verdict.claim.about,
        "comparison": comparison.id,
        "measure": comparison.measure,
        "expected": expected(verdict),
        **found_numbers(verdict),
        "verdict": verdict.decision,
        "reason": verdict.reason,
    }


def _notes(found: list[Verdict]) -> list[str]:
    notes = [
        *source_notes(found),
        "Ours: mean over seeds of the first minus the second, averaged over settings and levels. n: seeds.",
        *rule_notes(found),
    ]
    if any(_comparison(verdict).statistic == "median" for verdict in found):
        ids = ", ".join(v.comparison.id for v in found if _comparison(v).statistic == "median")
        notes.append(
            f"{ids}: the pseudo-median in place of the mean, with the interval and p of the signed-rank test, since "
            "seeds have heavy tails there; no detectable difference, whose formula is that of the t-test."
        )
    return notes + reason_notes(found) + _reader_notes(found)


def _reader_notes(found: list[Verdict]) -> list[str]:
    """What follows for a reader of each paper, as the claims say for the verdicts that came out; equal ones once."""
    papers: dict[str, dict[str, list[str]]] = {}
    for verdict in found:
        comparison = _comparison(verdict)
        if verdict.decision != "not run" and comparison.reader:
            told = papers.setdefault(verdict.claim.paper, {}).setdefault(comparison.reader[verdict.decision], [])
            told.append(comparison.id)
    return [
        f"For a reader ({paper}). " + " ".join(f"{', '.join(ids)}: {text}" for text, ids in texts.items())
        for paper, texts in papers.items()
    ]
