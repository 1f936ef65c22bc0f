"""What a verdict rests on, in one sentence, and what would decide what is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dgr.claims import CostComparison
from dgr.claims.comparisons import AnyComparison
from dgr.comparison.family import region_text
from dgr.comparison.t_based import detectable_effect

MOST_SEEDS = 100_000
"""More than anybody would train; beyond it no number is given."""


def reason_sentence(comparison: AnyComparison, row: Mapping[str, Any]) -> str:
    """Why the verdict is what it is; empty where nothing was run.

    Args:
        comparison: as the claims file has it.
        row: of the suite's claims table; without what is empty there.
    """
    verdict, reason = row.get("verdict", "not run"), str(row.get("reason", "")).rstrip(".")
    if reason:
        return f"{reason[0].upper()}{reason[1:]}."
    if isinstance(comparison, CostComparison):
        side = {"supported": "at most", "opposite": "above"}.get(verdict)
        return f"All of the ratio's interval is {side} {comparison.at_most:g}." if side else ""
    region = region_text(comparison.region)
    return {
        "supported": "The interval lies on the claimed side of zero.",
        "opposite": f"All of the interval lies outside {region}."
        if comparison.direction == "none"
        else "The interval lies on the other side of zero than claimed.",
        "no relevant difference": f"The interval lies within {region}, where a difference is too small to matter.",
        "undecided": f"The interval is neither within {region} nor wholly outside it.",
    }.get(verdict, "")


def seeds_needed(differences: Sequence[float], level: float, difference: float) -> int | None:
    """The fewest seeds that find a true difference of that size with probability .8, at the spread of these.

    Args:
        differences: by seed.
        level: two-sided level of the test.
        difference: positive, in the unit of the differences.

    Returns:
        None without a spread, and where it is more than :data:`MOST_SEEDS`.
    """
    if len(differences) < 2 or not (spread := float(np.std(differences, ddof=1))):
        return None

    def suffices(n: int) -> bool:
        return detectable_effect(n, level) * spread <= difference

    few, many = 2, 4
    while not suffices(many):
        few, many = many, 2 * many
        if many > MOST_SEEDS:
            return None
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if suffices(middle) else (middle, many)
    return few if suffices(few) else many


def open_question(comparison: AnyComparison, row: Mapping[str, Any], differences: Sequence[float]) -> str:
    """What would decide a comparison that this suite leaves open; empty where it is decided or was not run."""
    verdict = row.get("verdict", "not run")
    if verdict not in ("undecided", "assay failed") or isinstance(comparison, CostComparison):
        return ""
    if verdict == "assay failed":
        return f"A set-up in which the positive control {comparison.gate} shows what is known." * bool(comparison.gate)
    if "confidence" not in row or getattr(comparison, "statistic", "mean") == "median":
        return ""  # how many seeds are enough is known of the t-test alone
    mean, region = abs(float(row["difference"])), comparison.region
    level, there = 1 - float(row["confidence"]), len(differences)
    needed = seeds_needed(differences, level, region - mean if mean < region else mean)
    aim = "show that it lies within the region" if mean < region else "find it"
    if needed is None:
        return f"If the true difference is what it is here, no number of seeds that anybody would train can {aim}."
    if needed <= there:
        return (
            f"If the true difference is what it is here, as many new seeds as there are, {there}, would probably {aim}."
        )
    return f"If difference and spread are what they are here, about {needed:,} seeds in place of {there} would {aim}."
