"""Table and figure of a study, from its records."""

from __future__ import annotations

from pathlib import Path

from dgr.core import paths
from dgr.figures.shared.files import save_drawing
from dgr.figures.shared.study import study_figure
from dgr.records.study_records import load_study
from dgr.tables.shared import rendering
from dgr.tables.studies.measures import study_table


def write_study_report(suite: str, name: str) -> list[Path]:
    """Make ``results/SUITE/tables/NAME.{csv,md,tex,json}`` and ``figures/SUITE/NAME.{pdf,png}``.

    Raises:
        DGRError: no such study, or records that are missing, damaged or not those of the plan.
    """
    study = load_study(f"{suite}-{name}")
    written = rendering.write(study_table(study), paths.tables_folder(suite) / name, f"tab:{suite}-{name}")
    return written + save_drawing(study_figure(study), paths.FIGURES / suite / name)
