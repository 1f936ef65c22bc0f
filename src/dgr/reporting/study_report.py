"""Table and figure of a study, from its records."""

from __future__ import annotations

from pathlib import Path

from dgr.core import paths
from dgr.reporting import figures, rendering
from dgr.reporting.study_figure import study_figure
from dgr.reporting.study_records import load_study
from dgr.reporting.study_table import study_table


def write_study_report(suite: str, name: str) -> list[Path]:
    """Make ``results/SUITE/NAME.{csv,md,tex}`` and ``figures/SUITE/NAME.{pdf,png}``.

    Raises:
        DGRError: no such study, or records that are missing, damaged or not those of the plan.
    """
    study = load_study(f"{suite}-{name}")
    written = rendering.write(study_table(study), paths.RESULTS / suite / name, f"tab:{suite}-{name}")
    return written + figures.save(study_figure(study), paths.FIGURES / suite / name)
