"""What a suite is, in a few lines of words: for the index of all suites and for the report."""

from __future__ import annotations

from typing import Any

from dgr.config.plan_file import Plan
from dgr.core import paths
from dgr.core.files import read_json
from dgr.records.records import configured_measurements

MEASURED = {
    "specifications": "specification",
    "sweeps": "sweep",
    "costs": "cost measurement",
    "embeddings": "embedding",
}
"""What is measured beside runs, by section of the plan."""


def suite_summary(suite: str) -> dict[str, Any]:
    """The suite's summary; empty where it has none yet.

    Raises:
        DGRError: it is damaged.
    """
    made = paths.summary_file(suite).exists()
    return dict(read_json(paths.summary_file(suite), f"run `python -m dgr audit {suite}`")) if made else {}


def suite_facts(plan: Plan, suite: str, summary: dict[str, Any]) -> dict[str, str]:
    """What a suite trains, measures and studies, by name.

    Args:
        plan: of all suites.
        suite: its name.
        summary: what :func:`suite_summary` says.
    """
    runs = [*entries_of(plan, "runs", suite), *entries_of(plan, "tuned_runs", suite)]
    facts = {}
    if runs:
        places: dict[str, list[str]] = {}
        for entry in runs:
            architectures = places.setdefault(entry["dataset"], [])
            if (name := entry["architecture"]["name"]) not in architectures:
                architectures.append(name)
        facts["Data sets and architectures"] = "; ".join(
            f"{dataset} with {', '.join(names)}" for dataset, names in places.items()
        )
        named = {part: len({entry[part]["name"] for entry in runs}) for part in ("method", "regularizer")}
        facts["Methods and regularizers"] = (
            f"{_count(named['method'], 'method')}, {_count(named['regularizer'] - 1, 'regularizer')} and none"
        )
        seeds = sorted({len(entry["seeds"]) for entry in runs})
        facts["Runs"] = (
            f"{_count(len(runs), 'configuration')} with {' or '.join(map(str, seeds))} seeds: "
            f"{summary.get('trained', 0)} of {sum(len(entry['seeds']) for entry in runs)} trained"
        )
    counts = {name: len(entries_of(plan, section, suite)) for section, name in MEASURED.items()}
    if counts["specification"]:  # each is a sweep too
        counts["sweep"] -= counts["specification"]
    if any(counts.values()):
        facts["Measured beside them"] = ", ".join(_count(number, name) for name, number in counts.items() if number)
    if studies := [*entries_of(plan, "studies", suite), *entries_of(plan, "real_studies", suite)]:
        seeds = sorted({len(entry["seeds"]) for entry in studies})
        number = "1 study" if len(studies) == 1 else f"{len(studies)} studies"
        facts["Studies"] = f"{number} with {' or '.join(map(str, seeds))} seeds"
    return facts


def entries_of(plan: Plan, section: str, suite: str) -> list[dict[str, Any]]:
    """A suite's entries of a section of the plan."""
    return list(configured_measurements(plan, section, suite).values())


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' if number != 1 else ''}"
