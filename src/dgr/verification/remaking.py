"""Every table, figure and page made anew from the committed records, in another place, and compared byte for byte."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from dgr.core import paths
from dgr.core.files import cannot_write
from dgr.figures.registry import write_figure
from dgr.pages.audit import write_audit
from dgr.pages.index import write_index
from dgr.pages.overview import write_overview
from dgr.pages.readme import update
from dgr.pages.study_report import write_study_report
from dgr.pages.summary import write_summary
from dgr.plan.graph import INDEX, OVER_ALL, OVERVIEW, REPORT, Stage, suite_stages
from dgr.plan.locks import LOCK_NAME
from dgr.report.build import write_report
from dgr.tables.registry import write_table
from dgr.tables.shared.differences import write_differences
from dgr.tables.studies.claims import write_study_claims
from dgr.verification.findings import Finding
from dgr.verification.record_files import text_frame
from dgr.verification.same_files import differences

README = Path("README.md")
COPIED: tuple[Path, ...] = (
    paths.CONFIGS,
    paths.PLAN,
    paths.STAGES,
    paths.SUITES,
    Path(LOCK_NAME),
    Path("docs"),
    README,
)
COPIED += (paths.HASHES, Path("tests/fingerprint/witnesses.md"), Path("report"), Path("CITATION.cff"))
COPIED += (Path("pyproject.toml"), Path("requirements.lock"))
"""What tables, figures and pages are made from, beside results and figures."""
CLAIMS = "claims.csv"


def _make_page(suite: str) -> None:
    write_summary(suite)
    write_audit(suite)


MAKERS: dict[str, Callable[[str, dict[str, Any]], object]] = {
    "table": lambda suite, entry: write_table(suite, entry["name"]),
    "figure": lambda suite, entry: write_figure(suite, entry["name"]),
    "study_report": lambda suite, entry: write_study_report(suite, entry["name"]),
    "study_claims": lambda suite, entry: write_study_claims(suite),
    "differences": lambda suite, entry: write_differences(suite),
    "audit": lambda suite, entry: _make_page(suite),
    OVERVIEW: lambda suite, entry: write_overview(),
    INDEX: lambda suite, entry: write_index(),
    REPORT: lambda suite, entry: write_report(),
}
"""What makes the files of a stage from records alone; the stages that stand here are those whose files are compared."""
TABLES_ALONE = ("table", "study_claims")
"""Those of them that make numbers and verdicts alone: no figure and no page, which take most of the time."""


def remake(suite: str, scratch: Path, stages: Collection[str] = tuple(MAKERS)) -> list[str]:
    """Make everything in ``scratch`` that is made from records.

    Args:
        suite: whose.
        scratch: an existing folder, filled by this.
        stages: of :data:`MAKERS`; the others' files are copied as they are.

    Returns:
        Sentences on what cannot be made.

    Raises:
        DGRError: the scratch folder cannot be written.
    """
    _copy(scratch)
    made = Finding("made from records")
    with chdir(scratch):
        for stage, _, entry, outs in _reports(suite, stages):
            for out in outs:
                out.unlink(missing_ok=True)
            with made.told():
                MAKERS[stage.name](suite, entry)
        if README.exists() and INDEX in stages:
            with made.told():
                update(README)
    return made.problems


def check_remade(suite: str, scratch: Path, exact: bool, stages: Collection[str] = tuple(MAKERS)) -> list[Finding]:
    """Compare what is committed with what :func:`remake` made of the same records.

    Args:
        suite: whose.
        scratch: what it filled.
        exact: whether bytes are expected to agree; without, numbers of CSV files may differ by rounding, and
            pictures are not compared.
        stages: those that :func:`remake` was asked for.

    Returns:
        Tables and figures, verdicts, and the page with the summary, the index, the report and, with the index, the
        README.
    """
    exhibits, verdicts, pages = map(Finding, ("tables and figures", "verdicts", "pages, summary, README"))
    for stage, key, _, outs in _reports(suite, stages):
        shown = pages if stage.name in PAGES else exhibits
        for out in outs:
            shown.compared += 1
            command = stage.filled(stage.definition["cmd"], key)
            for problem in differences(out, scratch / out, exact):
                shown.problems.append(f"{out} {problem}; make it again with `{command}`.")
            if out.name == CLAIMS and (scratch / out).exists():
                _verdicts(verdicts, out, scratch / out)
    if README.exists() and INDEX in stages:
        same = README.read_bytes() == (scratch / README).read_bytes()
        pages.expect(same, "README.md shows other tables than there are; run `python -m dgr readme`.")
    for path in _foreign(suite):
        exhibits.expect(False, f"{path} is made by no stage of suite '{suite}'; remove it.")
    return [exhibits, verdicts, pages] if verdicts.compared else [exhibits, pages]


def _reports(suite: str, stages: Collection[str]) -> Iterator[tuple[Stage, str, dict[str, Any], list[Path]]]:
    """Each of these stages that the suite has: its key, its entry in the plan, and its files."""
    for stage in suite_stages(suite).values():
        if stage.name in stages:
            for key, entry in stage.entries.items():
                yield stage, key, entry, [Path(out) for out in stage.fill(key, "outs")]


PAGES = ("audit", *OVER_ALL)


def _copy(scratch: Path) -> None:
    try:
        for path in COPIED:
            if path.is_dir():
                shutil.copytree(path, scratch / path)
            elif path.is_file():
                (scratch / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, scratch / path)
        for folder in (paths.RESULTS, paths.FIGURES):
            if folder.is_dir():
                shutil.copytree(folder, scratch / folder, ignore=shutil.ignore_patterns("*-seeds-*"))
    except (OSError, shutil.Error) as error:
        raise cannot_write(scratch, error if isinstance(error, OSError) else OSError(str(error))) from error


def _verdicts(found: Finding, committed: Path, made: Path) -> None:
    """Each comparison's verdict, by its number."""
    with found.told():
        old, new = (
            dict(zip(frame["comparison"], frame["verdict"], strict=True))
            for frame in map(text_frame, (committed, made))
        )
        for comparison in dict.fromkeys((*old, *new)):
            was, now = old.get(comparison, "absent"), new.get(comparison, "absent")
            found.expect(was == now, f"{comparison}: committed is '{was}', but the records say '{now}'.")


def _foreign(suite: str) -> Iterator[Path]:
    """What lies among the suite's committed files and is no stage's."""
    stages = suite_stages(suite).values()
    outs = {Path(out) for stage in stages for key in stage.entries for out in stage.fill(key, "outs")}
    for folder in (paths.records_folder(suite), paths.tables_folder(suite), paths.FIGURES / suite):
        if folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if path not in outs)
