"""The audit page: one static file on which a reviewer goes from a claim to the runs, seeds and settings behind it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from dgr.core import paths
from dgr.core.files import write_text
from dgr.pages import claims as audit_claims
from dgr.pages import exhibits as audit_exhibits
from dgr.pages import measurement_records as audit_studies
from dgr.pages import run_records as audit_runs
from dgr.pages.exhibits import CLAIMS_TABLE, Exhibit
from dgr.pages.grid import Grid, from_frame
from dgr.pages.html import source_expression, templates
from dgr.pages.inputs import NOTES, Sources, open_sources
from dgr.pages.notes import render_notes
from dgr.pages.sparkline import sparkline

Uses = dict[str, list[tuple[str, str]]]


def write_audit(suite: str) -> Path:
    """Write ``results/SUITE/audit.html``, the same bytes for the same files.

    Read are the plan, the claims, the suite's records, tables and figures, ``docs/replication.md`` and ``dvc.lock``,
    all of them committed: neither a run folder nor DVC's cache is needed. What has not been made yet is listed with the
    command that makes it.

    Raises:
        DGRError: the suite has no runs, or the records of its runs are missing.
    """
    path = paths.RESULTS / suite / "audit.html"
    write_text(path, render(open_sources(suite)))
    return path


def render(sources: Sources) -> str:
    """The page as HTML."""
    environment = templates()
    environment.globals["sparkline"] = sparkline
    tables, figures = audit_exhibits.tables(sources), audit_exhibits.figures(sources)
    claims = next((table for table in tables if table.name == CLAIMS_TABLE), None)
    runs, others = audit_runs.run_records(sources), audit_studies.study_records(sources)
    texts = audit_claims.claim_texts(sources)
    inline = {name: environment.get_template(name).render().strip() for name in ("audit.css", "audit.js")}
    html = environment.get_template("audit.html").render(
        suite=sources.suite,
        claims=claims,
        texts=texts,
        verdicts=Counter(audit_claims.verdicts(sources).values()),
        tables=[table for table in tables if table is not claims],
        figures=figures,
        runs=runs,
        others=others,
        missing=[*(x for x in (*tables, *figures) if x.missing), *(x for x in (*runs, *others) if x.missing)],
        uses=_uses(tables),
        titles={record.anchor: record.title for record in (*runs, *others)}
        | {item.anchor: f"comparison {item.id}" for claim in texts for item in claim.evidence},
        notes=render_notes(NOTES, {exhibit.name: exhibit.anchor for exhibit in (*tables, *figures)}),
        environment=_environment(sources),
        totals=_totals(sources),
        css=inline["audit.css"],
        js=inline["audit.js"],
        css_hash=source_expression(inline["audit.css"]),
        js_hash=source_expression(inline["audit.js"]),
    )
    return html.rstrip() + "\n"


def _uses(tables: list[Exhibit]) -> Uses:
    """For each record, the tables that have a number of it."""
    uses: Uses = {}
    for table in tables:
        rows = table.grid.rows if table.grid else []
        for anchor in dict.fromkeys(cell.anchor for row in rows for cell in row if cell.anchor):
            uses.setdefault(anchor, []).append((table.name, table.anchor))
    return uses


def _environment(sources: Sources) -> Grid:
    """Every combination of commit, machine and versions that the runs have, with how many runs have it."""
    provenance = sources.records.provenance
    names = [
        "commit",
        "dirty",
        "device",
        "threads",
        *(name for name in map(str, provenance) if name.startswith("version_")),
    ]
    counts = provenance.groupby(names, sort=False, dropna=False).size().reset_index(name="runs")
    return from_frame("Where the runs were made", counts.rename(columns=lambda name: name.removeprefix("version_")))


def _totals(sources: Sources) -> dict[str, str]:
    provenance = sources.records.provenance
    return {
        "Trained runs (method × regularizer × seed)": str(len(provenance)),
        "Training time, all runs together": f"{provenance['wall_seconds'].sum() / 60:.0f} min",
        "Largest memory of a process": f"{provenance['peak_memory_mb'].max():.0f} MB",
    }
