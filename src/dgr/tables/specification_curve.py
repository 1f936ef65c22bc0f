"""M1: how the answer to each question depends on the specification: one row a question."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dgr.records.scope import Scope
from dgr.records.specification_effects import Effect, specification_effects
from dgr.tables.shared.rendering import Table, signed
from dgr.tables.shared.specification_texts import arms_text, design_text, diverged_text, rule_text, words

NAMES = ("M1",)
TOGETHER = ("normalisation", "optimizer")
"""Choices whose combinations are counted too: which two was seen in the results, and the note says so."""


def build(scope: Scope) -> Table:
    """Median and range of the effects over specifications, and the shares with each result.

    Where an arm diverged, the specification has no effect and is counted apart.

    Raises:
        DGRError: see :func:`dgr.records.specification_effects.specification_effects`.
    """
    effects = specification_effects(scope)
    rows = [_numbers(own) for own in effects.values()]
    region = rows[0]["region"]
    return Table(
        data=pd.DataFrame(rows),
        text=pd.DataFrame([_text(own, row) for own, row in zip(effects.values(), rows, strict=True)]),
        groups=[0] * len(rows),
        title="Specification curve: differences of test accuracy (points) under many configurations of data, encoder "
        "and training.",
        notes=_notes(scope, effects, region),
        records=[[]] * len(rows),
    )


def _numbers(effects: list[Effect]) -> dict[str, Any]:
    usable = [effect for effect in effects if effect.sides]
    means, region = np.array([effect.mean for effect in usable]), effects[0].region
    results = [effect.result for effect in usable]
    lows, highs = (np.array([effect.interval[end] for effect in usable]) for end in (0, 1))

    def share(holds: Any) -> float:
        return float(np.mean(holds)) if usable else float("nan")

    question = effects[0].question
    return {
        "question": question.name,
        "treatment": question.treatment,
        "reference": question.reference,
        "n": len(usable),
        "median": float(np.median(means)) if usable else float("nan"),
        "smallest": min(means, default=float("nan")),
        "largest": max(means, default=float("nan")),
        "above_zero": share(means > 0),
        "above_region": share(means > region),
        "below_region": share(means < -region),
        "interval_above_zero": share(lows > 0),
        "interval_above_region": share(lows > region),
        "interval_below_zero": share(highs < 0),
        "interval_below_region": share(highs < -region),
        "equivalent": share([result == "equivalent" for result in results]),
        "undecided": share([result == "undecided" for result in results]),
        "diverged": len(effects) - len(usable),
        "region": region,
    }


def _text(effects: list[Effect], row: dict[str, Any]) -> dict[str, str]:
    def percent(name: str) -> str:
        return "–" if np.isnan(row[name]) else f"{100 * row[name]:.0f} %"

    return {
        "Question": effects[0].question.text,
        "n": str(row["n"]),
        "Median": signed(row["median"]),
        "Range": f"{signed(row['smallest'])} … {signed(row['largest'])}",
        "Above 0": percent("above_zero"),
        f"Above +{row['region']:g}": percent("above_region"),
        "Interval above 0": percent("interval_above_zero"),
        "Equivalent": percent("equivalent"),
        "Interval below 0": percent("interval_below_zero"),
        "Diverged": str(row["diverged"]),
    }


def _notes(scope: Scope, effects: dict[str, list[Effect]], region: float) -> list[str]:
    every = [effect for own in effects.values() for effect in own]
    notes = [
        design_text(scope),
        arms_text(scope),
        "An effect is the treatment's mean over seeds minus the reference's. Median, range and shares are over the n "
        f"specifications. Above 0: the effect has the claimed sign. Above +{region:g}: it also lies beyond the region. "
        "Interval above or below 0: the interval leaves out zero on the claimed or on the other side; where nothing "
        "differs, 2.5 % do so on each side by chance. Each specification stands in table M3.",
        rule_text(every),
    ]
    if set(TOGETHER) <= set(every[0].choices):
        notes.append(_together(next(iter(effects.values()))))
    if lost := diverged_text(every):
        notes.append(
            "Diverged: at every strength of an arm a training diverged, so that the specification has no effect and is "
            f"not among the n: {lost}."
        )
    return notes


def _together(effects: list[Effect]) -> str:
    """How many intervals leave out zero, and on which side, for each combination of two choices."""
    found: dict[str, list[Effect]] = {}
    for effect in effects:
        found.setdefault(", ".join(words(effect.choices[choice]) for choice in TOGETHER), []).append(effect)
    counts = "; ".join(
        f"{name}: {sum(effect.interval[0] > 0 for effect in own)} above and "
        f"{sum(effect.interval[1] < 0 for effect in own)} below 0 of {len(own)}"
        for name, own in found.items()
    )
    return (
        f"Looked at after the results, as these two choices matter together: intervals of {effects[0].question.text} "
        f"by {' and '.join(map(words, TOGETHER))}. {counts[0].upper()}{counts[1:]}."
    )
