"""M2: which choices explain why effects differ between specifications: one regression a question."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dgr.comparison.main_effects import Coefficient, MainEffects, main_effects
from dgr.core.errors import DGRError
from dgr.records.scope import Scope
from dgr.records.specification_effects import EFFECT_LEVEL, Effect, specification_effects
from dgr.tables.shared.rendering import Table, interval_text, signed
from dgr.tables.shared.specification_texts import arms_text, design_text, diverged_text, options_of, words

NAMES = ("M2",)
EXPLAINED = ("dgr_alone", "dgr_norm")
"""Questions whose effects are explained."""
_NONE = Coefficient(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class _Fit:
    """The regression of one question's effects, and how much of their variance the seeds' noise alone makes."""

    effects: list[Effect]
    model: MainEffects
    noise: float

    @property
    def title(self) -> str:
        return self.effects[0].question.text


def build(scope: Scope) -> Table:
    """The mean, each option's distance from it, each choice's share of variance, and the rest's.

    Raises:
        DGRError: no question is asked, there are too few specifications, or as for
            :func:`dgr.records.specification_effects.specification_effects`.
    """
    effects = specification_effects(scope)
    fits = {name: _fit(effects[name]) for name in EXPLAINED if name in effects}
    if not fits:
        raise DGRError(f"{scope.name} explains DGR against no regularizer or the norm penalty; configure these arms.")
    places = [("mean", "")]
    places += [(choice, option) for choice, options in options_of(scope).items() for option in options]
    places.append(("rest", ""))
    choices = list(dict.fromkeys(choice for choice, _ in places))
    return Table(
        data=pd.DataFrame([_numbers(place, fits) for place in places]),
        text=pd.DataFrame([_text(place, index, places, fits) for index, place in enumerate(places)]),
        groups=[choices.index(choice) for choice, _ in places],
        title="What explains the effects of a specification curve: regression of the specifications' mean differences "
        "of test accuracy (points) on all choices.",
        notes=_notes(scope, fits),
        records=[[]] * len(places),
    )


def _fit(effects: list[Effect]) -> _Fit:
    usable = [effect for effect in effects if effect.sides]
    means = np.array([effect.mean for effect in usable])
    model = main_effects(means, pd.DataFrame([effect.choices for effect in usable]), EFFECT_LEVEL)
    variance = float(means.var(ddof=1))
    noise = float(np.mean([effect.standard_error**2 for effect in usable]))
    return _Fit(effects, model, noise / variance if variance else math.nan)


def _numbers(place: tuple[str, str], fits: dict[str, _Fit]) -> dict[str, Any]:
    choice, option = place
    row: dict[str, Any] = {"choice": choice, "option": option}
    for name, fit in fits.items():
        found = fit.model.mean if choice == "mean" else fit.model.options.get((choice, option), _NONE)
        share = fit.model.rest if choice == "rest" else fit.model.shares.get(choice, math.nan)
        row |= {f"{name}_{part}": getattr(found, part) for part in ("value", "low", "high")}
        row |= {f"{name}_share": share}
    return row


def _text(place: tuple[str, str], index: int, places: list[tuple[str, str]], fits: dict[str, _Fit]) -> dict[str, str]:
    choice, option = place
    first = index == 0 or places[index - 1][0] != choice
    numbers = _numbers(place, fits)
    cells = {"Choice": words(choice) if first else "", "Option": words(option)}
    for name, fit in fits.items():
        value, share = numbers[f"{name}_value"], numbers[f"{name}_share"]
        interval = interval_text(numbers[f"{name}_low"], numbers[f"{name}_high"])
        cells[fit.title] = "–" if math.isnan(value) else f"{signed(value)} {interval}"
        cells[f"Share: {fit.title}"] = "" if math.isnan(share) or not first else f"{100 * share:.1f} %"
    return cells


def _notes(scope: Scope, fits: dict[str, _Fit]) -> list[str]:
    each = [
        f"{fit.title}: {sum(1 for effect in fit.effects if effect.sides)} specifications, {fit.model.df} degrees of "
        f"freedom of the rest, {100 * fit.noise:.0f} % noise of seeds"
        for fit in fits.values()
    ]
    notes = [
        design_text(scope),
        arms_text(scope),
        "Ordinary least squares with a main effect of every choice, without interactions; each specification counts "
        "once, with its mean over seeds. Sum-to-zero coding: mean is the effect averaged over options, an option's "
        f"number its distance from it, with the model's {100 * EFFECT_LEVEL:.0f} % interval. Share: sum of squares of "
        "type II of the choice, and that of the rest, of the total one.",
        "The rest is interactions of choices and noise. Noise of seeds: mean of the squared standard errors of the "
        f"specifications' means, as a share of the variance of these means. {'; '.join(each)}.",
    ]
    lost = diverged_text([effect for fit in fits.values() for effect in fit.effects])
    return [*notes, f"Left out, because at every strength of an arm a training diverged: {lost}."] if lost else notes
