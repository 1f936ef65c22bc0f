"""The trainings of a specification: each arm's accuracy by seed, and which of its strengths counts."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dgr.config.sweeps import combinations
from dgr.core.errors import DGRError
from dgr.records.rows import DIVERGED, REPRESENTATION, settings_text

ACCURACY = "accuracy"


@dataclass(frozen=True)
class Arm:
    """A regularizer in one specification, at the strength that counts.

    Attributes:
        regularizer: its name.
        strength: the one with the best mean validation accuracy over the seeds; None without a strength.
        test: test accuracy, mean over tasks, a value a seed (the index).
    """

    regularizer: str
    strength: float | None
    test: pd.Series


def trainings(sweeps: pd.DataFrame, entry: dict[str, Any]) -> pd.DataFrame:
    """Every training of one specification.

    Args:
        sweeps: the frame of the suite's ``sweeps.csv``.
        entry: the specification's sweep in the plan.

    Returns:
        One row a point and seed, in the order of the configuration: ``regularizer``, ``strength`` (NaN without one),
        ``seed``, ``val`` and ``test`` (accuracy, mean over tasks, at the last epoch), ``norm`` (mean ‖z‖ on test), and
        ``diverged``, with which the numbers are NaN.

    Raises:
        DGRError: a task has no accuracy, or the records lack a point or seed that is configured.
    """
    rows = sweeps[sweeps["sweep"] == entry["name"]]
    if other := sorted(set(rows["task"]) - {REPRESENTATION} - set(rows.loc[rows["metric"] == ACCURACY, "task"])):
        raise DGRError(f"Specifications compare accuracy, which task '{other[0]}' of '{entry['name']}' does not have.")
    place = ["settings", "seed"]
    accuracy = rows[rows["metric"] == ACCURACY].pivot(index=place, columns=["split", "task"], values="value")
    norms = rows[(rows["metric"] == "mean_norm") & (rows["split"] == "test")].set_index(place)["value"]
    stopped = set(rows.loc[rows["metric"] == DIVERGED, place].itertuples(index=False, name=None))
    found = []
    for settings, run in combinations(entry["run"], entry["vary"]):
        for seed in run["seeds"]:
            point = (settings_text(settings), seed)
            regularizer = run["regularizer"]
            row = {"regularizer": regularizer["name"], "strength": regularizer.get("strength"), "seed": seed}
            row["diverged"] = point in stopped
            if point not in stopped:
                if point not in accuracy.index or accuracy.loc[point].isna().any():
                    raise DGRError(
                        f"The records lack values of '{entry['name']}' at {json.dumps(settings)}, seed {seed}; "
                        f"run `python -m dgr collect {entry['suite']}`."
                    )
                means = accuracy.loc[point].groupby(level="split").mean()
                row |= {"val": means["val"], "test": means["test"], "norm": norms[point]}
            found.append(row)
    columns = ["regularizer", "strength", "seed", "val", "test", "norm", "diverged"]
    return pd.DataFrame(found, columns=columns).astype({"strength": float, "val": float, "test": float, "norm": float})


def arms(trained: pd.DataFrame) -> dict[str, Arm]:
    """Each arm of one specification at the strength that counts, by its regularizer.

    Test accuracy chooses nothing. A strength with which a training diverged never counts; an arm whose every strength
    has such a training is absent. Ties go to the strength that is configured first.

    Args:
        trained: see :func:`trainings`.
    """
    chosen: dict[str, tuple[float, Arm]] = {}
    for (name, strength), rows in trained.groupby(["regularizer", "strength"], sort=False, dropna=False):
        score = float(rows["val"].mean())
        if not rows["diverged"].any() and (name not in chosen or score > chosen[name][0]):
            number = None if pd.isna(strength) else float(strength)
            chosen[name] = (score, Arm(str(name), number, rows.set_index("seed")["test"]))
    return {name: arm for name, (_, arm) in chosen.items()}


def diverged_arms(trained: pd.DataFrame, names: Collection[str]) -> tuple[str, ...]:
    """Those of the named arms that no strength is left of."""
    return tuple(name for name in names if name not in arms(trained))
