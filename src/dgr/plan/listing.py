"""What can be run, as lines of columns that a person and ``cut`` both read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dgr.core.paths import CONFIGS, PLAN, SUITES
from dgr.plan.files import check_plans
from dgr.plan.graph import suite_stages
from dgr.plan.suites import QUICK, find_suite, find_suites


def suites() -> Iterator[tuple[str, str]]:
    """Each suite, and each quick look that was planned: its name and its number of stages.

    Raises:
        DGRError: ``paper_configs`` or a plan is missing.
    """
    looks = sorted(path.parent.name for path in SUITES.glob(f"*/{PLAN}") if QUICK.fullmatch(path.parent.name))
    for name in (*(suite.name for suite in find_suites(CONFIGS)), *looks):
        yield name, f"{sum(len(stage.entries) for stage in suite_stages(name).values())} stages"


def stages_of(name: str) -> Iterator[tuple[str, str, str]]:
    """Each stage of a suite: the name that ``dvc repro`` takes, its command, and what it trains or examines.

    Raises:
        DGRError: there is no such suite, or its plan is not current.
    """
    check_plans(find_suite(name, CONFIGS))
    for stage in suite_stages(name).values():
        for key, entry in stage.entries.items():
            command = stage.filled(stage.definition["cmd"], key).removeprefix("python -m ")
            yield stage.address(key), command, ", ".join(_what(entry))


def _what(entry: dict[str, Any]) -> Iterator[str]:
    for grid in ("learning_rates", "strengths"):
        if entry.get(grid):
            yield f"{len(entry[grid])} {grid.replace('_', ' ')}"
    if "vary" in entry:
        yield f"{math.prod(map(len, entry['vary'].values()))} settings"
    if seeds := entry.get("run", entry).get("seeds"):
        yield f"seeds {' '.join(map(str, seeds))}"
