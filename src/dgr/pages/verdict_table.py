"""The README's tables: what the papers claim, and what each kind of data, the controls and other set-ups say of it.

A comparison that a suite cannot make, such as one of a new task where there is none, is not counted.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from dgr.claims import CLAIMS_FILE, load_claims
from dgr.core import paths
from dgr.core.files import read_json

SUITE_COLUMNS = {"mini": "Digits", "methods": "Digits, more methods", "faces": "Faces", "nyu": "Real rooms"}
"""Whose verdicts are columns, and their heads."""
NOT_RUN, NOT_ASKED = "not run", "–"


class Asked(NamedTuple):
    """A row: a claim and those about its controls, with all of their tests; its question in the specification curve."""

    words: str
    claim: str
    controls: tuple[str, ...] = ()
    question: str = ""


CLAIMED = (
    Asked("improves multi-task prediction", "C2", ("C2x", "C2y"), "dgr_alone"),
    Asked("improves each existing method", "C5"),
    Asked("makes the representation more universal", "C1", ("C1m", "C1n", "C1z")),
    Asked("serves other classifiers better", "C3", ("C3x",)),
)
OTHER_COLUMNS = {
    "Made data and digits": ("studies", ("S1", "S2", "L1", "W1", "W2", "W3")),
    "CIFAR-10, a sample": ("real_studies", ("S3", "W5")),
    "Six sets of sentences": ("real_studies", ("W4", "W4s")),
}
"""Of the other papers' table: by its head, the suite and the claims that are decided on these data."""
OTHER_METHODS = {
    "SLGrad": ("S1", "S2", "S3"),
    "single-gradient-step balancing (our test)": ("L1",),
    "covariance and its alignment": ("W1", "W2", "W4", "W4s"),
    "SVD re-weighting": ("W3", "W5"),
}


def other_papers_table(root: Path) -> list[str]:
    """What data of each kind say of the other papers' claims: lines of Markdown.

    Raises:
        DGRError: a file is damaged.
    """
    tests = _tests(root)
    lines = [f"| Claims of | {' | '.join(OTHER_COLUMNS)} |", "|:--|" + ":--|" * len(OTHER_COLUMNS)]
    for method, claims in OTHER_METHODS.items():
        cells = []
        for suite, there in OTHER_COLUMNS.values():
            asked = set().union(*(tests[claim] for claim in claims if claim in there))
            cells.append(_counted(_verdicts(root, suite), asked) if asked else NOT_ASKED)
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return lines


def verdict_table(root: Path) -> list[str]:
    """What data of each kind, controls and other set-ups say of DGR's claims: lines of Markdown.

    Args:
        root: the checkout; summaries of suites and the table of specifications are read where they are there.

    Raises:
        DGRError: a file is damaged.
    """
    found = {suite: _verdicts(root, suite) for suite in SUITE_COLUMNS}
    tests = _tests(root)
    lines = [f"| DGR … | {' | '.join(SUITE_COLUMNS.values())} | Against controls, all of these | Over specifications |"]
    lines.append("|:--|" + ":--|" * (len(SUITE_COLUMNS) + 2))
    for row in CLAIMED:
        cells = [_counted(own, tests[row.claim]) for own in found.values()]
        against = {f"{name}-{suite}": verdict for suite in found for name, verdict in found[suite].items()}
        controls = set().union(*(tests[name] for name in row.controls))
        cells.append(_counted(against, controls) if controls else NOT_ASKED)
        cells.append(_share(root, row.question) if row.question else NOT_ASKED)
        lines.append(f"| {row.words} | {' | '.join(cells)} |")
    return lines


def _tests(root: Path) -> dict[str, set[str]]:
    """The comparisons of each claim."""
    return {claim.id: {one.id for one in claim.comparisons} for claim in load_claims(root / CLAIMS_FILE).claims}


def _verdicts(root: Path, suite: str) -> dict[str, str]:
    path = root / paths.summary_file(suite)
    if not path.is_file():
        return {}
    summary: dict[str, Any] = read_json(path, f"run `python -m dgr audit {suite}`")
    verdicts: dict[str, str] = summary.get("claims", {})
    return verdicts


def _counted(verdicts: dict[str, str], tests: set[str]) -> str:
    """``supported``, or where there are several tests, how many have which verdict."""
    found = [verdict for name, verdict in verdicts.items() if name.partition("-")[0] in tests]
    if not verdicts or set(found) == {NOT_RUN}:
        return NOT_RUN
    if not found:
        return NOT_ASKED
    counts = Counter(verdict for verdict in found if verdict != NOT_RUN).most_common()
    return (
        counts[0][0]
        if counts[0][1] == 1 == len(counts)
        else ", ".join(f"{count} {verdict}" for verdict, count in counts)
    )


def _share(root: Path, question: str) -> str:
    """In what share of specifications the interval leaves out zero on the claimed side."""
    path = root / paths.tables_folder("multiverse") / "M1.csv"
    if not path.is_file():
        return NOT_RUN
    row = pd.read_csv(path).set_index("question").loc[question]
    return (
        f"shown in {row['interval_above_zero']:.0%} of {row['n']:.0f}, the opposite in {row['interval_below_zero']:.0%}"
    )
