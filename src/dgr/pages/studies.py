"""The studies' page: claims and verdicts, each study's figure, table, settings, records and origin, in one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from dgr.claims import CLAIMS_FILE, StudyComparison, Verdict, load_claims, study_verdicts
from dgr.claims.narrowing import of_studies
from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.core.files import read_json, write_json, write_text
from dgr.pages.exhibits import Picture, picture
from dgr.pages.grid import Cell, Grid, from_frame, linked
from dgr.pages.html import source_expression, templates
from dgr.records.study_records import StudyRecords, load_study
from dgr.tables.shared import rendering
from dgr.tables.shared.rendering import Table
from dgr.tables.studies.claims import study_claims_table
from dgr.tables.studies.measures import study_table


@dataclass(frozen=True)
class Section:
    """A study on the page.

    Attributes:
        name, anchor, title, source: what it is.
        picture, caption: its figure.
        table, notes: its table.
        records: every number, one column a seed.
        settings: the configuration, YAML.
        facts: commit, versions, machine, time.
        commands: what makes it.
    """

    name: str
    anchor: str
    title: str
    source: str
    picture: Picture
    table: Grid
    notes: list[str]
    records: Grid
    settings: str
    facts: dict[str, str]
    commands: list[str]


def write_study_audit(suite: str) -> None:
    """Write ``results/SUITE/tables/claims.*``, ``results/SUITE/audit.html`` and ``results/summaries/SUITE.json``.

    They are the same bytes for the same files.

    Raises:
        DGRError: the records of a study are missing or not those of the plan.
    """
    keys = [key for key, entry in read_plan()["studies"].items() if entry["suite"] == suite]
    studies = {key: load_study(key) for key in keys}
    found = study_verdicts(
        {key: study.frame for key, study in studies.items()}, of_studies(load_claims(CLAIMS_FILE), suite)
    )
    claims = study_claims_table(suite, studies, found)
    rendering.write(claims, paths.tables_folder(suite) / "claims", f"tab:{suite}-claims")
    write_text(paths.RESULTS / suite / "audit.html", _render(suite, studies, claims, found))
    verdicts = {verdict.comparison.id: verdict.decision for verdict in found}
    write_json(paths.summary_file(suite), {"claims": verdicts})


def _render(suite: str, studies: dict[str, StudyRecords], claims: Table, found: list[Verdict]) -> str:
    environment = templates()
    sections = [_section(key, study) for key, study in studies.items()]
    css = environment.get_template("audit.css").render().strip()
    anchors = [f"study-{v.comparison.study}" if isinstance(v.comparison, StudyComparison) else None for v in found]
    html = environment.get_template("study_audit.html").render(
        suite=suite,
        claims=linked(_grid("claims", claims), list(anchors)),
        notes=claims.notes,
        verdicts=Counter(verdict.decision for verdict in found),
        sections=sections,
        titles={section.anchor: f"study {section.name}" for section in sections},
        css=css,
        css_hash=source_expression(css),
    )
    return html.rstrip() + "\n"


def _section(key: str, study: StudyRecords) -> Section:
    report = study.report
    origin = read_json(paths.records_folder(report.suite) / f"{report.name}.json", f"run `python -m dgr study {key}`")
    table = study_table(study)
    wide = study.frame.pivot(index=["measure", "setting", "method", "level"], columns="seed", values="value")
    wide.columns = [f"seed {seed}" for seed in wide.columns]
    alt = f"{report.name}: {report.title} The numbers are in the table below."
    return Section(
        name=report.name,
        anchor=f"study-{key}",
        title=report.title,
        source=report.source,
        picture=picture(paths.FIGURES / report.suite / f"{report.name}.png", alt),
        table=_grid(report.name, table),
        notes=table.notes,
        records=from_frame(f"{report.name}: every number of every seed", wide.reset_index()),
        settings=yaml.safe_dump(origin["config"], sort_keys=False, allow_unicode=True),
        facts=_facts(origin),
        commands=[f"python -m dgr study {key}", f"python -m dgr study-report {report.suite} {report.name}"],
    )


def _grid(name: str, table: Table) -> Grid:
    rows = [[Cell(str(text)) for text in row] for row in table.text.itertuples(index=False)]
    return Grid(f"{name}. {table.title}", list(map(str, table.text.columns)), rows)


def _facts(origin: dict[str, Any]) -> dict[str, str]:
    shown: dict[str, Callable[[Any], str]] = {
        "commit": str,
        "dirty": lambda dirty: "yes" if dirty else "no",
        "device": str,
        "threads": str,
        "wall_seconds": lambda seconds: f"{seconds:.0f}",
        "config_hash": str,
    }
    versions = {f"version of {name}": str(value) for name, value in origin["versions"].items()}
    return {name: text(origin[name]) for name, text in shown.items()} | versions
