"""Makes a figure by its name; adding one is one file beside this.

The file declares ``NAMES``, the names of its figures, and ``build``, from :class:`Scope` to :class:`Drawing`. A suite
has the figure once one of its YAML files names it under ``figures``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.registry import Registry
from dgr.figures.shared.files import save_drawing
from dgr.figures.shared.style import Drawing
from dgr.records.records import load_records
from dgr.records.scope import open_scope

DRAWN = Registry("dgr.figures", "figure", provides=("NAMES", "build"))


def write_figure(suite: str, name: str) -> list[Path]:
    """Make ``figures/SUITE/NAME.{pdf,png}`` from the suite's records and the plan.

    Raises:
        DGRError: an unknown figure, or records that are missing, incomplete or not those of the plan.
    """
    made_by = DRAWN.making(name)
    scope = open_scope("figures", suite, name, read_plan(), load_records(paths.records_folder(suite)))
    drawing: Drawing = made_by.build(scope)
    if scope.remark:
        drawing = replace(drawing, caption=f"{drawing.caption} {scope.remark}")
    return save_drawing(drawing, paths.FIGURES / suite / name)
