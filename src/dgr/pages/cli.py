"""The commands that make pages, and what pages show beside tables; each imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path

import typer

from dgr.core.errors import DGRError, nearest
from dgr.core.paths import CONFIGS

app = typer.Typer()


@app.command()
def audit(suite: str) -> None:
    """Make a suite's page and the summary that `dvc metrics` shows, results/{SUITE/audit.html,summaries/SUITE.json}."""
    from dgr.pages.audit import write_audit
    from dgr.pages.summary import write_summary

    write_summary(suite)
    write_audit(suite)


@app.command()
def study_report(suite: str, name: str) -> None:
    """Make a study's table and figure, results/SUITE/tables/NAME.{csv,md,tex,json} and figures/SUITE/NAME.{pdf,png}."""
    from dgr.pages.study_report import write_study_report

    write_study_report(suite, name)


@app.command()
def differences(suite: str) -> None:
    """Write what the claims' tests take, a difference by seed and method, results/differences/SUITE.csv."""
    from dgr.config.plan_file import read_plan
    from dgr.tables.shared.differences import write_differences

    if suite not in (known := read_plan()["suites"]):
        raise DGRError(f"Unknown suite '{suite}'{nearest(suite, known)}")
    write_differences(suite)


@app.command()
def overview() -> None:
    """Draw the claims of all suites in one figure, figures/overview.{pdf,png,svg}."""
    from dgr.pages.overview import write_overview

    write_overview()


@app.command()
def index() -> None:
    """Make the page over all suites, results/index.html."""
    from dgr.pages.index import write_index

    write_index()


@app.command(rich_help_panel="Archives and lists")
def readme() -> None:
    """Bring tables shown in README.md and docs/gpu.md, and the keys listed in paper_configs/README.md, up to date."""
    from dgr.pages.keys import update_keys
    from dgr.pages.readme import update

    for page in ("README.md", "docs/gpu.md"):
        update(Path(page))
    update_keys(CONFIGS / "README.md")
