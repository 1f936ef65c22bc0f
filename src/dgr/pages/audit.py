"""A suite's page: one static file on which a reviewer goes from a claim to the runs, seeds and settings behind it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd

from dgr.core import paths
from dgr.core.files import write_text
from dgr.pages.comparisons import claim_texts, decided_claims
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

Uses = dict[str, list[tuple[str, str]]]


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
    comparisons = [item for claim in texts for item in claim.evidence]
    titles = {record.key: record.title for record in records} | {item.id: item.title for item in comparisons}
    tables, figures = table_exhibits(inputs, titles), figure_exhibits(inputs)
    items: list[Exhibit | RecordView] = [*tables, *figures, *records]
    claims = next((table for table in tables if table.name == CLAIMS_TABLE), None)
    return page(
        "audit.html",
        script="audit.js",
        suite=inputs.suite,
        claims=claims,
        texts=texts,
        verdicts=Counter(row["verdict"] for row in decided_claims(inputs.suite).values()),
        tables=[table for table in tables if table is not claims],
        figures=figures,
        runs=runs,
        measured=measured,
        studies=studies,
        missing=[item for item in items if item.missing],
        uses=_uses(tables),
        titles={record_anchor(key): title for key, title in titles.items()},
        notes=render_notes(NOTES, {exhibit.name: exhibit.anchor for exhibit in (*tables, *figures)}),
        environment=_environment(inputs),
        totals=_totals(inputs),
    )


def _uses(tables: list[Exhibit]) -> Uses:
    """For each record, the tables that have a number of it."""
    uses: Uses = {}
    for table in tables:
        rows = table.grid.rows if table.grid else []
        for anchor in dict.fromkeys(cell.anchor for row in rows for cell in row if cell.anchor):
            uses.setdefault(anchor, []).append((table.name, table.anchor))
    return uses


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
