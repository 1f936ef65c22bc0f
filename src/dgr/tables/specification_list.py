"""M3: every specification with its effects, one row each; its record has the differences by seed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dgr.records.scope import Scope
from dgr.records.specification_effects import Effect, specification_effects
from dgr.tables.shared.rendering import Table, interval_text, signed
from dgr.tables.shared.specification_texts import RESULT_WORDS, arms_text, design_text, diverged_text, rule_text, words

NAMES = ("M3",)
LISTED = ("dgr_alone", "dgr_norm")
"""Questions in the text; the CSV file has all."""


def build(scope: Scope) -> Table:
    """The options of each choice, and each question's mean difference with its interval.

    Raises:
        DGRError: see :func:`dgr.records.specification_effects.specification_effects`.
    """
    effects = specification_effects(scope)
    rows = list(zip(*effects.values(), strict=True))
    every = [effect for own in effects.values() for effect in own]
    notes = [design_text(scope), arms_text(scope), rule_text(every)]
    if lost := diverged_text(every):
        notes.append(f"Diverged at every strength of an arm: {lost}.")
    return Table(
        data=pd.DataFrame([_numbers(row) for row in rows]),
        text=pd.DataFrame([_text(row) for row in rows]),
        groups=[0] * len(rows),
        title="Every specification: differences of test accuracy (points) with their intervals.",
        notes=notes,
        records=[[row[0].key] for row in rows],
    )


def _numbers(row: tuple[Effect, ...]) -> dict[str, Any]:
    numbers: dict[str, Any] = dict(row[0].choices)
    for effect in row:
        name, (low, high) = effect.question.name, effect.interval
        numbers |= {f"{name}_difference": effect.mean, f"{name}_low": low, f"{name}_high": high}
        numbers |= {f"{name}_n": len(effect.differences), f"{name}_result": effect.result}
    return numbers


def _text(row: tuple[Effect, ...]) -> dict[str, str]:
    cells = {words(choice).capitalize(): words(option) for choice, option in row[0].choices.items()}
    for effect in row:
        if effect.question.name in LISTED:
            found = f"{signed(effect.mean)} {interval_text(*effect.interval)}" if effect.sides else "–"
            cells |= {effect.question.text: found, f"Result: {effect.question.text}": RESULT_WORDS[effect.result]}
    return cells
