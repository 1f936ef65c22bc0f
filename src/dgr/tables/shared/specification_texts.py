"""What tables and figures of specifications say in common: the design, the arms, the words for results."""

from __future__ import annotations

import math

from dgr.records.names import method_label, regularizer_label
from dgr.records.scope import Scope
from dgr.records.specification_effects import EFFECT_LEVEL, Effect, Result

RESULT_WORDS: dict[Result, str] = {
    "above region": "better, beyond the region",
    "above zero": "better",
    "equivalent": "no relevant difference",
    "undecided": "undecided",
    "below zero": "worse",
    "below region": "worse, beyond the region",
    "diverged": "diverged",
}


def words(name: str) -> str:
    """A choice or option as readers see it."""
    return name.replace("_", " ")


def options_of(scope: Scope) -> dict[str, list[str]]:
    """The options of each choice, in the order in which the specifications bring them."""
    specifications = [entry["choices"] for entry in scope.specifications.values()]
    return {choice: list(dict.fromkeys(each[choice] for each in specifications)) for choice in specifications[0]}


def design_text(scope: Scope) -> str:
    """How many specifications of how many there are, and how they were chosen."""
    options, entries = options_of(scope), scope.specifications
    whole, balanced = math.prod(map(len, options.values())), next(iter(entries.values()))["balanced"]
    kinds = ", ".join(f"{words(choice)} ({len(names)})" for choice, names in options.items())
    text = f"{len(entries)} specifications of {whole} combinations of {kinds}"
    if len(entries) < whole:
        text += (
            f": every combination of the others, and of {words(balanced)} one option each, as in a Latin square, so "
            "that it occurs about equally often with every other option"
        )
    return text + ". They were chosen before any run."


def arms_text(scope: Scope) -> str:
    """Method, seeds, and the strengths of each arm."""
    entry = next(iter(scope.sweeps.values()))
    run, settings = entry["run"], entry["vary"]["regularizer"]
    strengths: dict[str, list[float]] = {}
    for arm in settings:
        strengths.setdefault(arm["name"], []).extend([arm["strength"]] if "strength" in arm else [])
    tuned = "; ".join(
        f"{arm_label(name)} {', '.join(f'{value:g}' for value in values)}"
        for name, values in strengths.items()
        if values
    )
    return (
        f"Method {method_label(run['method']['name'])}, {len(run['seeds'])} seeds "
        f"({', '.join(map(str, run['seeds']))}), test accuracy at the last epoch, mean over tasks. Of an arm's "
        f"strengths ({tuned}) the one with the best mean validation accuracy over these seeds counts; test accuracy "
        "chooses nothing."
    )


def rule_text(effects: list[Effect]) -> str:
    """What the intervals and words mean."""
    return (
        f"Intervals: {100 * EFFECT_LEVEL:.0f} % t-intervals over seeds, one specification at a time, not adjusted for "
        f"their number. Region: a difference within ±{effects[0].region:g} points is too small to matter. Equivalent: "
        "two one-sided t-tests at 5 % show that the mean lies within the region, also where it is not zero. "
        "Specifications share data and seeds, so that shares describe and test nothing."
    )


def diverged_text(effects: list[Effect]) -> str:
    """Which arm has no strength left in which specification; empty where none has."""
    lost: dict[str, list[str]] = {}
    for effect in effects:
        for name in effect.diverged:
            lost.setdefault(name, []).append(" ".join(map(words, effect.choices.values())))
    return "; ".join(f"{arm_label(name)} in {', '.join(dict.fromkeys(where))}" for name, where in lost.items())


def arm_label(regularizer: str) -> str:
    """An arm's regularizer, by itself."""
    return "no regularizer" if regularizer == "none" else regularizer_label(regularizer).removeprefix("+ ")
