"""The figure over all suites: every claim that was decided, its effect by seed, and the verdicts of all suites."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

import pandas as pd

from dgr.claims import CostComparison
from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.figures.shared.files import save_drawing
from dgr.figures.shared.forest import forest_figure
from dgr.figures.shared.forest_row import ForestRow
from dgr.figures.shared.style import Drawing
from dgr.pages.suite_claims import ClaimTest, DecidedSuites, decided_suites, decided_tests, verdict_in
from dgr.records.names import KNOWN_METHODS, method_label
from dgr.tables.shared.differences import read_differences

OVERVIEW_STEM = paths.FIGURES / "overview"
"""Of the main claims; ``overview-all`` beside it has every one."""
MAIN_TESTS = {
    "P0a": "Δm: all data vs half (control)",
    "C2a": "Δm: DGR vs the method alone",
    "C5a-equal_weighting": "Δm: EW with DGR vs EW",
    "C5a-imtl": "Δm: IMTL with DGR vs IMTL",
    "C1b": "Few labels: DGR vs the method alone",
    "C3a": "Probes: DGR vs the method alone",
    "C2xb": "Δm: DGR vs ‖z‖² penalty, same ‖z‖",
    "C2xc": "Δm: DGR vs z divided by its norm",
    "C1mb": "Few labels: DGR vs ‖z‖², same ‖z‖",
    "C3xb": "Probes: DGR vs ‖z‖², same ‖z‖",
    "C3xc": "Probes: DGR vs z divided by its norm",
    "C2ra": "Δm: DGR as released vs alone",
    "S1a": "SLGrad finds wrong labels",
    "S2f": "SLGrad vs a constant",
    "W1a": "Equal covariance helps transfer",
    "W1b": "Equal covariance helps transfer, ReLU",
    "W2a": "Alignment helps rotated inputs",
    "W2d": "Alignment raises similarity",
    "W3a": "SVD re-weighting withstands noise",
    "S3a": "SLGrad finds wrong labels, CIFAR-10",
    "S3e-equal_weighting": "SLGrad vs EW, CIFAR-10, flips to background",
    "W4a": "Alignment helps pairs of sentence sets",
    "W5a": "SVD re-weighting, noise on pictures",
}
"""The tests that the README's figure shows, with short names: chosen by hand, when first results were known."""


def write_overview() -> list[Path]:
    """Make ``figures/overview`` and ``figures/overview-all``, each as PDF, PNG and SVG.

    Read are the claims, each suite's table ``claims`` and its differences by seed.

    Raises:
        DGRError: a file is damaged.
    """
    decided = decided_suites(read_plan())
    tests = decided_tests(decided)
    main = [test for test in tests if test.comparison.id in MAIN_TESTS]
    selected = (
        f"{len(main)} of {len(tests)} tests of claims: one or two of a claim, and not of each, chosen by hand when "
        "first results were known; figures/overview-all has every test. The column 'supported' counts, of all tests of "
        "a row's claim in its suite, those that are."
    )
    written = save_drawing(_drawing(main, decided, selected, short=True), OVERVIEW_STEM)
    every = f"All {len(tests)} tests of claims that a suite has decided."
    return written + save_drawing(_drawing(tests, decided, every, short=False), OVERVIEW_STEM.with_name("overview-all"))


def _drawing(tests: list[ClaimTest], decided: DecidedSuites, shown: str, short: bool) -> Drawing:
    ids = [test.comparison.id for test in tests]
    columns = {suite: rows for suite, rows in decided.items() if any(verdict_in(rows, each) for each in ids)}
    differences = {suite: read_differences(suite) for suite in columns}
    rows = [_row(test, columns, differences[test.suite], short) for test in tests]
    figure = forest_figure(rows, list(columns), 7.0 if short else 4.7)
    return Drawing(figure, f"{shown} {_caption(list(columns))}")


def _row(test: ClaimTest, decided: DecidedSuites, differences: pd.DataFrame, short: bool) -> ForestRow:
    comparison, found = test.comparison, decided[test.suite][test.comparison.id]
    row = ForestRow(
        heading=test.heading,
        number=_number(comparison.id),
        label=MAIN_TESTS[comparison.id] if short else fill(comparison.question, 62),
        verdict=found["verdict"],
        verdicts=[verdict_in(rows, comparison.id) for rows in decided.values()],
        home=list(decided).index(test.suite),
        instead=_instead(found),
        supported=_supported(test, decided[test.suite]) if short else "",
    )
    if isinstance(comparison, CostComparison) or "low" not in found:
        return row
    towards = (-1 if comparison.direction == "lower" else 1) / comparison.region
    own = differences[(differences["comparison"] == comparison.id) & (differences["method"] == "")]
    low, high = sorted((towards * found["low"], towards * found["high"]))
    numbers = {"effect": towards * found["difference"], "low": low, "high": high}
    return ForestRow(**vars(row) | numbers | {"seeds": (towards * own["difference"]).tolist()})


def _number(id_: str) -> str:
    """``C5a IMTL``: where a comparison has several tests, which of them; an ellipsis for words that the label has."""
    number, *members = id_.split("-")
    return " ".join([number, *(method_label(name) if name in KNOWN_METHODS else "…" for name in members)])


def _supported(test: ClaimTest, rows: dict[str, dict[str, Any]]) -> str:
    """``1 of 8``: how many of the claim's tests a suite finds supported; empty where it has one test alone."""
    verdicts = [verdict for each in test.claim.comparisons if (verdict := verdict_in(rows, each.id))]
    return f"{verdicts.count('supported')} of {len(verdicts)}" if len(verdicts) > 1 else ""


def _instead(found: dict[str, object]) -> str:
    """In the place of an effect: a ratio that has no region, or why there is none."""
    if "ratio" in found:
        return f"ratio {found['ratio']:.2f} [{found['ratio_low']:.2f}, {found['ratio_high']:.2f}]"
    return "no test: its page says why"


def _caption(columns: list[str]) -> str:
    return (
        "Left: the difference and its deciding interval, divided by the claim's region "
        "of equivalence (shaded; a difference within it is too small to matter), to the right where it speaks for the "
        "claim; a thin line is a seed; numbers at the edge count seeds that lie farther out. "
        "The axis is linear within the region and logarithmic outside. Where a claim says that there is no difference, "
        "all of the interval within the region speaks for it. Right: the verdicts of the "
        f"suites {', '.join(columns)} on the same claim; the framed one is that of the effect on the left."
    )
