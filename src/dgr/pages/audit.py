"""A suite's page: one static file on which a reviewer goes from a claim to the runs, seeds and settings behind it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd

from dgr.core import paths
from dgr.core.files import write_text
from dgr.pages.claim_cards import claim_texts
from dgr.pages.comparisons import decided_claims
from dgr.pages.exhibits import CLAIMS_TABLE, Exhibit, figure_exhibits, table_exhibits
from dgr.pages.grid import Grid, from_frame
from dgr.pages.html import page
from dgr.pages.inputs import NOTES, Inputs, open_inputs
from dgr.pages.measurement_records import measurement_records
from dgr.pages.notes import render_notes
from dgr.pages.record_views import RecordView, record_anchor
from dgr.pages.run_records import run_records
from dgr.pages.study_records import study_origin, study_views
from dgr.records.records import configured_studies

Stated = dict[str, list[tuple[str, str, str]]]
"""For each record, by its anchor: the tables that state numbers of it, where they are, and what they state."""


def write_audit(suite: str) -> Path:
    """Write ``results/SUITE/audit.html``, the same bytes for the same files.

    Read are the plan, the claims, the suite's records, tables, figures and ``dvc.lock``, and ``docs/replication.md``,
    all of them committed: neither a run folder nor DVC's cache is needed. The page has what the suite has: runs,
    studies, or both, and the tables and figures of its plan. What has not been made yet is listed with the command that
    makes it.

    Raises:
        DGRError: there is no such suite, the records of its runs are missing, or a file that the page shows is damaged.
    """
    path = paths.RESULTS / suite / "audit.html"
    write_text(path, _html(open_inputs(suite)))
    return path


def _html(inputs: Inputs) -> str:
    runs, measured, studies = run_records(inputs), measurement_records(inputs), study_views(inputs)
    records, texts = [*runs, *measured, *studies], claim_texts(inputs)
    comparisons = [item for claim in texts for item in claim.cards]
    titles = {record.key: record.title for record in records} | {item.id: item.title for item in comparisons}
    tables, figures = table_exhibits(inputs, titles), figure_exhibits(inputs)
    items: list[Exhibit | RecordView] = [*tables, *figures, *records]
    claims = next((table for table in tables if table.name == CLAIMS_TABLE), None)
    return page(
        "audit.html",
        script="audit.js",
        suite=inputs.suite,
        datasets=list(dict.fromkeys(entry["dataset"] for entry in inputs.runs.values())),
        claims=claims,
        texts=texts,
        verdicts=Counter(row["verdict"] for row in decided_claims(inputs.suite).values()),
        tables=[table for table in tables if table is not claims],
        figures=figures,
        runs=runs,
        measured=measured,
        studies=studies,
        missing=[item for item in items if item.missing],
        stated=_stated(tables),
        titles={record_anchor(key): title for key, title in titles.items()},
        notes=render_notes(NOTES, {exhibit.name: exhibit.anchor for exhibit in (*tables, *figures)}),
        environment=_environment(inputs),
        totals=_totals(inputs),
    )


def _stated(tables: list[Exhibit]) -> Stated:
    """The rows of all tables under the record that they lead to, so that a clicked number stands where it leads."""
    stated: Stated = {}
    for table in tables:
        for row in table.grid.rows if table.grid else []:
            anchor = row[0].anchor
            if table.grid and anchor:
                cells = zip(table.grid.columns, row, strict=True)
                told = "; ".join(f"{column}: {cell.text}" for column, cell in cells if cell.anchor in (None, anchor))
                stated.setdefault(anchor, []).append((table.name, table.anchor, told))
    return stated


def _environment(inputs: Inputs) -> Grid:
    """Every combination of commit, machine and versions that runs and studies have, with how many have it."""
    rows = [row | {"what": "runs"} for row in inputs.records.provenance.to_dict("records")]
    for entry in configured_studies(inputs.plan, inputs.suite).values():
        if (paths.origins_folder(inputs.suite) / f"{entry['name']}.json").exists():
            origin = study_origin(inputs.suite, entry["name"])
            versions = {f"version_{package}": version for package, version in origin["versions"].items()}
            rows.append({"what": "studies"} | origin | versions)
    made = pd.DataFrame(rows, columns=None if rows else ["commit", "dirty", "device", "threads", "what"])
    names = ["commit", "dirty", "device", "threads", *(name for name in map(str, made) if name.startswith("version_"))]
    counts = made.groupby([*names, "what"], sort=False, dropna=False).size().reset_index(name="number")
    return from_frame("Where the numbers were made", counts.rename(columns=lambda name: name.removeprefix("version_")))


def _totals(inputs: Inputs) -> dict[str, str]:
    provenance = inputs.records.provenance
    if provenance.empty:
        return {}
    return {
        "Trained runs (method × regularizer × seed)": str(len(provenance)),
        "Training time, all runs together": f"{provenance['wall_seconds'].sum() / 60:.0f} min",
        "Largest memory of a process": f"{provenance['peak_memory_mb'].max():.0f} MB",
    }
