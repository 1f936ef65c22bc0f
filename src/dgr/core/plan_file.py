"""The generated list of stages that both engines and every command read.

JSON, since DVC reads it for each stage: YAML of that size would cost every stage a second.
"""

from __future__ import annotations

from typing import Any

from dgr.core.errors import DGRError, nearest
from dgr.core.files import read_json
from dgr.core.paths import PLAN

Plan = dict[str, dict[str, Any]]


def read_plan() -> Plan:
    """The whole plan, by kind of stage and key.

    Raises:
        DGRError: it is missing or damaged.
    """
    plan: Plan = read_json(PLAN, "run `python -m dgr plan` from the repository's top folder")
    return plan


def plan_entry(key: str, stages: tuple[str, ...]) -> Any:
    """The plan's entry of a key, under the first of the stages that has one.

    Raises:
        DGRError: none of them has; names the nearest key.
    """
    plan = read_plan()
    known = {name: entry for stage in stages for name, entry in plan[stage].items()}
    if key not in known:
        raise DGRError(f"{PLAN} has no entry '{key}' under {' or '.join(stages)}{nearest(key, known)}.")
    return known[key]
