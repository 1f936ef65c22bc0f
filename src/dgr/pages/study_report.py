"""Table and figure of a study, and the claims that a suite's studies decide, from their records."""

from __future__ import annotations

from pathlib import Path

from dgr.claims import CLAIMS_FILE, load_claims, study_verdicts
from dgr.claims.narrowing import of_studies
from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.figures.shared.files import save_drawing
from dgr.figures.shared.study import study_figure
from dgr.records.records import configured_measurements
from dgr.records.study_records import load_study
from dgr.tables.shared import rendering
from dgr.tables.studies.claims import study_claims_table
from dgr.tables.studies.measures import study_table


def write_study_report(suite: str, name: str) -> list[Path]:
    """Make ``results/SUITE/tables/NAME.{csv,md,tex,json}`` and ``figures/SUITE/NAME.{pdf,png}``.

    Raises:
        DGRError: no such study, or records that are missing, damaged or not those of the plan.
    """
    study = load_study(f"{suite}-{name}")
    written = rendering.write(study_table(study), paths.tables_folder(suite) / name, f"tab:{suite}-{name}")
    return written + save_drawing(study_figure(study), paths.FIGURES / suite / name)


def write_study_claims(suite: str) -> list[Path]:
    """Make ``results/SUITE/tables/claims.{csv,md,tex,json}``, the same bytes every time.

    Raises:
        DGRError: the records of a study are missing or not those of the plan.
    """
    studies = {key: load_study(key) for key in configured_measurements(read_plan(), "studies", suite)}
    frames = {key: study.frame for key, study in studies.items()}
    found = study_verdicts(frames, of_studies(load_claims(CLAIMS_FILE), suite))
    table = study_claims_table(suite, studies, found)
    return rendering.write(table, paths.tables_folder(suite) / "claims", f"tab:{suite}-claims")
