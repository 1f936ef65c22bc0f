"""The audit page's claims: what decides each, its verdict, and the runs on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dgr.config.parsing import read_yaml
from dgr.core import paths
from dgr.pages.exhibits import CLAIMS_TABLE
from dgr.pages.inputs import CLAIMS, Sources
from dgr.pages.measurement_records import cost_anchor
from dgr.pages.run_records import anchor_of_run, cell_title


@dataclass(frozen=True)
class Evidence:
    """A comparison, its verdict, and the runs on either side: (title, anchor), without anchor if not in the plan."""

    anchor: str
    id: str
    question: str
    sides: dict[str, list[tuple[str, str | None]]]
    verdict: str


@dataclass(frozen=True)
class ClaimText:
    """A claim as the paper makes it, and what would decide it."""

    id: str
    title: str
    text: str
    source: str
    evidence: list[Evidence]


def claim_texts(sources: Sources) -> list[ClaimText]:
    """The claims of ``claims.yaml``; empty where there is no such file."""
    if not CLAIMS.exists():
        return []
    decided = verdicts(sources)
    return [
        ClaimText(
            **{name: claim[name] for name in ("id", "title", "text", "source")},
            evidence=[_evidence(sources, comparison, decided) for comparison in claim["comparisons"]],
        )
        for claim in read_yaml(CLAIMS)["claims"]
        if all(comparison["kind"] != "study" for comparison in claim["comparisons"])
    ]


def verdicts(sources: Sources) -> dict[str, str]:
    """The verdict of each comparison of the claims table; empty where that has not been made."""
    path = paths.tables_folder(sources.suite) / f"{CLAIMS_TABLE}.csv"
    return dict(pd.read_csv(path)[["comparison", "verdict"]].to_numpy()) if path.exists() else {}


def _evidence(sources: Sources, comparison: dict[str, Any], decided: dict[str, str]) -> Evidence:
    sides: dict[str, list[tuple[str, str | None]]] = {}
    for name in ("treatment", "reference"):
        side = comparison[name]
        methods = [side["method"]] if "method" in side else comparison["methods"]
        cells = [(method, side["regularizer"]) for method in methods]
        if comparison["kind"] == "cost":
            cost = cost_anchor(sources)
            sides[name] = [(f"{cell_title(*cell)}: cost", cost) for cell in cells]
        else:
            sides[name] = [(cell_title(*cell), anchor_of_run(sources, *cell)) for cell in cells]
    name = comparison["id"]
    return Evidence(f"evidence-{name}", name, comparison["question"], sides, decided.get(name, "not run"))
