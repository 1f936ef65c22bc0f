"""The trainings of a specification: each arm's accuracy by seed, and which of its strengths counts."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dgr.config.sweeps import combinations
from dgr.core.errors import DGRError
from dgr.records.rows import DIVERGED, REPRESENTATION, settings_text

ASKED_METRIC = "accuracy"


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
    if other := sorted(set(rows["task"]) - {REPRESENTATION} - set(rows.loc[rows["metric"] == ASKED_METRIC, "task"])):
        raise DGRError(f"Specifications compare accuracy, which task '{other[0]}' of '{entry['name']}' does not have.")
    place = ["settings", "seed"]
    measured = {
        "val": _mean_accuracy(rows, "val"),
        "test": _mean_accuracy(rows, "test"),
        "norm": rows[(rows["metric"] == "mean_norm") & (rows["split"] == "test")].set_index(place)["value"].to_dict(),
    }
    stopped = set(rows.loc[rows["metric"] == DIVERGED, place].itertuples(index=False, name=None))
    found = []
    for settings, run in combinations(entry["run"], entry["vary"]):
        for seed in run["seeds"]:
            point, regularizer = (settings_text(settings), seed), run["regularizer"]
            values = {name: numbers.get(point, math.nan) for name, numbers in measured.items()}
            if point not in stopped and any(map(math.isnan, values.values())):
                raise DGRError(
                    f"The records lack values of '{entry['name']}' at {json.dumps(settings)}, seed {seed}; "
                    f"run `python -m dgr collect {entry['suite']}`."
                )
            arm = {"regularizer": regularizer["name"], "strength": regularizer.get("strength"), "seed": seed}
            found.append(arm | values | {"diverged": point in stopped})
    columns = ["regularizer", "strength", "seed", "val", "test", "norm", "diverged"]
    return pd.DataFrame(found, columns=columns).astype({"strength": float, "val": float, "test": float, "norm": float})


def arms(trained: pd.DataFrame) -> dict[str, Arm]:
    """Each arm of one specification at the strength that counts, by its regularizer.

    Test accuracy chooses nothing. A strength with which a training diverged never counts; an arm whose every strength
    has such a training is absent. Ties go to the strength that is configured first.

    Args:
        trained: see :func:`trainings`.
    """
    best: dict[str, float] = {}
    chosen: dict[str, Arm] = {}
    for _, rows in trained.groupby(["regularizer", "strength"], sort=False, dropna=False):
        name, strength = str(rows["regularizer"].iloc[0]), float(rows["strength"].iloc[0])
        score = float(rows["val"].mean())
        if not rows["diverged"].any() and (name not in best or score > best[name]):
            best[name] = score
            test = rows.set_index("seed")["test"]
            chosen[name] = Arm(name, None if math.isnan(strength) else strength, test)
    return chosen


def _mean_accuracy(rows: pd.DataFrame, split: str) -> dict[tuple[str, int], float]:
    """Mean over tasks by settings and seed; NaN where a task lacks its value."""
    own = rows[(rows["metric"] == ASKED_METRIC) & (rows["split"] == split)]
    table = own.pivot(index=["settings", "seed"], columns="task", values="value")
    means = table.mean(axis=1, skipna=False)
    return dict(zip(table.index.tolist(), means.tolist(), strict=True))
