"""What the rounds of a cost measurement say: median seconds of each case, and ratios within a round.

Every table, figure and claim takes these numbers from here.
"""

from __future__ import annotations

from typing import cast

import pandas as pd

from dgr.comparison.ratios import RatioInterval, ratio_interval
from dgr.core.arrays import FloatArray
from dgr.core.errors import DGRError
from dgr.measurements.cost_case import PLAIN_METHOD, Case

CONFIDENCE = 0.95
"""Of the intervals that tables show; claims have their own."""


def seconds_by_round(costs: pd.DataFrame) -> dict[Case, FloatArray]:
    """Seconds a step of every case, one number a round, in the order of the records.

    Args:
        costs: ``costs.csv``, narrowed to one data set and architecture.

    Raises:
        DGRError: a case has not every round once.
    """
    found: dict[Case, FloatArray] = {}
    rounds = sorted(costs["round"].unique())
    for cell, rows in costs.groupby(["method", "regularizer", "num_dummies"], sort=False):
        case = Case(*cast(tuple[str, str, int], cell))
        if sorted(rows["round"]) != rounds:
            raise DGRError(
                f"The cost of {case.method} with {case.regularizer} does not have every round once; measure again."
            )
        found[case] = rows.sort_values("round")["seconds_per_step"].to_numpy().astype("float64")
    return found


def step_costs(costs: pd.DataFrame) -> pd.DataFrame:
    """One row a case: medians over rounds and intervals of ratios.

    Columns: ``method, regularizer, num_dummies, seconds_per_step`` (median), ``ratio`` (to plain equal weighting),
    ``ratio_to_method, ratio_low, ratio_high`` (to the method alone, timed beside it), ``rounds, peak_memory_mb, device,
    threads``. Arguments and errors as for :func:`seconds_by_round`.

    Raises:
        DGRError: besides, a method alone or plain equal weighting was not timed, or the rounds are too few.
    """
    seconds = seconds_by_round(costs)
    peaks = costs.groupby(["method", "regularizer", "num_dummies"], sort=False)["peak_memory_mb"].first()
    plain = Case(PLAIN_METHOD, "none")
    methods = {case.method for case in seconds} | {PLAIN_METHOD}
    if lacking := sorted(method for method in methods if Case(method, "none") not in seconds):
        raise DGRError(
            f"The costs lack {', '.join(lacking)} without a regularizer; measure them again with "
            "`python -m dgr cost KEY`."
        )
    rows = []
    for case, own in seconds.items():
        alone = ratio_interval(own, seconds[Case(case.method, "none")], CONFIDENCE)
        rows.append(
            {
                **dict(zip(("method", "regularizer", "num_dummies"), case, strict=True)),
                "seconds_per_step": float(pd.Series(own).median()),
                "ratio": ratio_interval(own, seconds[plain], CONFIDENCE).median,
                "ratio_to_method": alone.median,
                "ratio_low": alone.low,
                "ratio_high": alone.high,
                "rounds": alone.rounds,
                "peak_memory_mb": float(peaks[case]),
                "device": str(costs["device"].iloc[0]),
                "threads": int(costs["threads"].iloc[0]),
            }
        )
    return pd.DataFrame(rows)


def within_rounds(costs: pd.DataFrame, treatment: Case, reference: Case, confidence: float) -> RatioInterval:
    """The ratio of two cases that were timed. Errors as for :func:`dgr.comparison.ratios.ratio_interval`."""
    seconds = seconds_by_round(costs)
    return ratio_interval(seconds[treatment], seconds[reference], confidence)
