"""What a suite has shown, in plain words: its verdicts, what differs from the committed results, and where to look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dgr.claims import CLAIMS_FILE, load_claims
from dgr.core.files import write_text
from dgr.core.origin import committed
from dgr.core.paths import FIGURES, RESULTS, RUNS, records_folder, tables_folder
from dgr.plan.suites import Suite
from dgr.verification.record_files import text_frame
from dgr.verification.reproduced import reproduction_lines

REPORT = Path("reproduction.md")
_PLAIN = {
    "supported": "as claimed",
    "opposite": "the opposite of what is claimed",
    "no relevant difference": "no difference that matters",
    "undecided": "undecided",
    "assay failed": "not decidable (positive control not found)",
    "not run": "not run",
}
"""Verdicts in plain words."""
_ABOUT = {
    "paper": "What papers claim",
    "control": "The same against simpler controls",
    "own": "Own questions and positive controls",
}


def outcome_lines(suite: Suite) -> Iterator[str]:
    """All of it, in lines to print; what differs is also written to ``reproduction.md``, as ``dgr reproduced`` does."""
    yield from ("", f"What came out of suite {suite.name}", "")
    yield from verdict_lines(tables_folder(suite.name) / "claims.csv")
    yield from ("", "What differs from the committed results", "")
    yield from _difference_lines(suite)
    yield from ("", "Where to look", "")
    yield from place_lines(suite.name)


def verdict_lines(table: Path) -> Iterator[str]:
    """One line a claim: how many of its comparisons came out how, in the order of the table.

    Args:
        table: ``claims.csv`` of a suite, of runs or of studies.
    """
    if not table.exists():
        yield "  It decides no claim."
        return
    rows = text_frame(table)
    titles = {claim.id: claim.title for claim in load_claims(CLAIMS_FILE).claims}
    for about, heading in _ABOUT.items():
        chosen = rows[rows["about"] == about]
        if len(chosen):
            yield f"  {heading}:"
        for claim, group in chosen.groupby("claim", sort=False):
            found = Counter(group["verdict"])
            told = ", ".join(f"{count} {_PLAIN.get(verdict, verdict)}" for verdict, count in found.most_common())
            yield f"    {claim:5} {titles.get(str(claim), '')}: {told if len(group) > 1 else told.removeprefix('1 ')}"


def _difference_lines(suite: Suite) -> Iterator[str]:
    if suite.seeds is not None:
        yield "  This is a quick look, which no commit keeps: there is nothing to compare it with."
    elif not Path(".git").exists():
        yield "  This is no clone of the repository: there is nothing to compare with."
    elif committed(records_folder(suite.name) / "runs.csv") is None:
        yield from _changed_files(suite.name)
    else:
        lines = list(reproduction_lines(suite.name))
        write_text(REPORT, "\n".join(lines) + "\n")
        yield from (f"  {line}" for line in lines if line and not line.startswith("#"))
        yield f"  This also stands in {REPORT}."


def _changed_files(suite: str) -> Iterator[str]:
    """Of suites without runs, whose records are compared as files."""
    places = (RESULTS / suite, FIGURES / suite)
    files = sorted(path for place in places for path in place.rglob("*") if path.suffix in (".csv", ".md"))
    before = {path: committed(path) for path in files}
    if not any(before.values()):
        yield "  The last commit has no results of this suite."
        return
    changed = [str(path) for path, text in before.items() if text != path.read_text(encoding="utf-8")]
    yield f"  {len(files) - len(changed)} of {len(files)} files are those of the last commit, byte by byte."
    yield from (f"  - {path} is another" for path in changed)


def place_lines(suite: str) -> Iterator[str]:
    """Page, tables, figures and runs, as far as they are there."""
    places = {
        "page": RESULTS / suite / "audit.html",
        "tables": tables_folder(suite),
        "figures": FIGURES / suite,
        "records": records_folder(suite),
        "every run": RUNS / suite / "train",
    }
    yield from (f"  {name + ':':10} {path}" for name, path in places.items() if path.exists())
