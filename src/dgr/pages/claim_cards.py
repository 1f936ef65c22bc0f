"""The page's claims, a card for each test: what was found by seed, why the verdict is that, what would decide."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from markupsafe import Markup

from dgr.claims import CLAIMS_FILE, Claim, CostComparison, load_claims, own_tests
from dgr.claims.comparisons import AnyComparison
from dgr.claims.narrowing import measured_by, of_runs, of_studies
from dgr.comparison.family import region_text
from dgr.pages.comparisons import Linked, decided_claims, found_in, sides_of
from dgr.pages.decisive import open_question, reason_sentence
from dgr.pages.grid import number_text
from dgr.pages.inputs import Inputs
from dgr.pages.record_views import record_anchor
from dgr.pages.seed_plot import seed_plot
from dgr.records.names import method_label
from dgr.tables.shared.differences import read_differences

ARXIV_NUMBER = re.compile(r"arXiv (\d{4}\.\d{5})")


@dataclass(frozen=True)
class ClaimCard:
    """A test of a claim, as a reviewer wants to see it.

    Attributes:
        id, question: as the claims file has them.
        verdict: in this suite.
        reason: why, in a sentence.
        decisive: what would decide it; empty where it is decided.
        found: the numbers behind it, in recorded units.
        sides: the records on either side.
        plot: the differences by seed as a drawing; None where there are none.
        seeds: the same in numbers, by label.
        command: what computes it again from the records.
    """

    id: str
    question: str
    verdict: str
    reason: str
    decisive: str
    found: list[str]
    sides: dict[str, list[Linked]]
    command: str
    plot: Markup | None = None
    seeds: dict[str, str] = field(default_factory=dict)

    @property
    def anchor(self) -> str:
        """Where links lead."""
        return record_anchor(self.id)

    @property
    def title(self) -> str:
        """For readers of links."""
        return f"comparison {self.id}"


@dataclass(frozen=True)
class ClaimText:
    """A claim as the paper makes it, and the cards of its tests; ``arxiv`` is the paper's number there, or None."""

    id: str
    title: str
    text: str
    paper: str
    arxiv: str | None
    cards: list[ClaimCard]


def claim_texts(inputs: Inputs) -> list[ClaimText]:
    """The claims that this suite's runs or studies decide; empty where there is no such file.

    Raises:
        DGRError: ``claims.yaml``, the claims table or the file of differences is wrong.
    """
    if not CLAIMS_FILE.exists():
        return []
    decided, differences = decided_claims(inputs.suite), read_differences(inputs.suite)
    by_comparison = dict(iter(differences.groupby("comparison", sort=False)))
    none = differences.iloc[:0]

    def card(comparison: AnyComparison) -> ClaimCard:
        return _card(inputs, comparison, decided.get(comparison.id, {}), by_comparison.get(comparison.id, none))

    return [
        ClaimText(claim.id, claim.title, claim.text, claim.paper, _arxiv(claim), list(map(card, claim.comparisons)))
        for claim in _claims(inputs)
    ]


def _claims(inputs: Inputs) -> list[Claim]:
    claims = load_claims(CLAIMS_FILE)
    stages = bool(inputs.runs), bool(inputs.entries("costs")), bool(inputs.entries("probes"))
    cells = {(entry["method"]["name"], entry["regularizer"]["name"]) for entry in inputs.runs.values()}
    measured = of_runs(measured_by(claims, inputs.suite, *stages), cells)
    return list(map(own_tests, (*measured, *of_studies(claims, inputs.suite))))


def _arxiv(claim: Claim) -> str | None:
    match = ARXIV_NUMBER.search(claim.paper)
    return match[1] if match else None


def _card(inputs: Inputs, comparison: AnyComparison, row: dict[str, Any], differences: pd.DataFrame) -> ClaimCard:
    columns = {str(method): own["difference"].tolist() for method, own in differences.groupby("method", sort=False)}
    several = len(columns) > 1
    rows = {_label(method, several): values for method, values in columns.items()}
    plot = None
    if rows and not isinstance(comparison, CostComparison):
        ends = [row.get(name) for name in ("low", "difference", "high")]
        interval = (float(ends[0]), float(ends[1]), float(ends[2])) if None not in ends else None  # type: ignore[arg-type]
        region = region_text(comparison.region)
        title = f"{comparison.id}: {len(next(iter(rows.values())))} differences by seed, region {region}"
        plot = seed_plot(rows, interval, comparison.region, title)
    studied = hasattr(comparison, "study")
    return ClaimCard(
        id=comparison.id,
        question=comparison.question,
        verdict=row.get("verdict", "not run"),
        reason=reason_sentence(comparison, row),
        decisive=open_question(comparison, row, columns.get("", [])),
        found=found_in(row),
        sides=sides_of(inputs, comparison),
        command=f"python -m dgr {'study-claims' if studied else 'table'} {inputs.suite}{'' if studied else ' claims'}",
        plot=plot,
        seeds={_seeds_label(differences, label): ", ".join(map(number_text, values)) for label, values in rows.items()},
    )


def _label(method: str, several: bool) -> str:
    if method:
        return method_label(method)
    return "mean, tested" if several else "tested"


def _seeds_label(differences: pd.DataFrame, label: str) -> str:
    seeds = differences["seed"].unique()
    return f"{label} (seeds {seeds.min()} to {seeds.max()})" if len(seeds) > 1 else f"{label} (seed {seeds[0]})"
