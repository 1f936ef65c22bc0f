"""The page's record of a specification: its effects and its arms by seed, and not every metric of every training."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dgr.pages.grid import Grid, from_frame
from dgr.records.specification_arms import trainings
from dgr.records.specification_effects import effects_of
from dgr.tables.shared.specification_texts import RESULT_WORDS, arm_label


def specification_grids(key: str, sweeps: pd.DataFrame, entry: dict[str, Any], chosen: dict[str, Any]) -> list[Grid]:
    """Two tables: differences by seed of every question, and accuracy by seed of every arm and strength.

    Args:
        key: of the specification in the plan.
        sweeps: the frame of ``sweeps.csv``.
        entry: its sweep in the plan.
        chosen: its options in the plan.

    Returns:
        No table where nothing of it is recorded.

    Raises:
        DGRError: the records lack a training of it.
    """
    if not (sweeps["sweep"] == entry["name"]).any():
        return []
    trained = trainings(sweeps, entry)
    seeds = entry["run"]["seeds"]
    effects = []
    for effect in effects_of(key, chosen, trained):
        strengths = [arm.strength for arm in effect.sides] if effect.sides else [None, None]
        row = {"question": effect.question.text, "strength": strengths[0], "reference's strength": strengths[1]}
        differences = dict(zip(sorted(seeds), effect.differences, strict=False))
        row |= {f"seed {seed}": differences.get(seed) for seed in seeds}
        low, high = effect.interval
        effects.append(row | {"mean": effect.mean, "low": low, "high": high, "result": RESULT_WORDS[effect.result]})
    arms = []
    for _, rows in trained.groupby(["regularizer", "strength"], sort=False, dropna=False):
        first, test = rows.iloc[0], rows.set_index("seed")["test"]
        row = {"arm": arm_label(str(first["regularizer"])), "strength": float(first["strength"])}
        row |= {"validation, mean": float(rows["val"].mean())}
        row |= {f"test, seed {seed}": float(test[seed]) for seed in seeds}
        arms.append(row | {"mean ‖z‖": float(rows["norm"].mean()), "diverged": int(rows["diverged"].sum())})
    return [
        from_frame("Differences of test accuracy, in points, with their 95 % interval", pd.DataFrame(effects)),
        from_frame("Accuracy of every arm, mean over tasks, at the last epoch", pd.DataFrame(arms)),
    ]
