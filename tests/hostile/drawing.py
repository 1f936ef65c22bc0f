"""How many cases are drawn, and from which seed; every seed of a campaign is tried as well as what is drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import seed as from_seed
from hypothesis.strategies import SearchStrategy

TIMES, SEED = "DGR_HOSTILE_TIMES", "DGR_HOSTILE_SEED"
"""Of the environment: how many times as many cases as a plain test draws, and from where."""


def hostile(cases: SearchStrategy[Any], drawn: int, seeds: Iterable[Any] = ()) -> Callable[..., Callable[..., None]]:
    """A test's last argument is each of the seeds, then as many cases as are drawn: the same ones in each run.

    Args:
        cases: what is drawn from.
        drawn: how many times, by a plain test.
        seeds: what is tried first, such as what was found once.
    """

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        for each in seeds:
            test = example(each)(test)
        chosen = os.environ.get(SEED)
        number = drawn * int(os.environ.get(TIMES, "1"))
        limits = settings(
            max_examples=number,
            deadline=None,  # bounds stand in `watched`
            database=None,
            derandomize=chosen is None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        )
        test = given(cases)(limits(test))
        test.cases = cases
        return test if chosen is None else from_seed(int(chosen))(test)

    return decorated
