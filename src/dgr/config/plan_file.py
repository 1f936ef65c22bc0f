"""The generated lists of stages that both engines and every command read, one a suite.

JSON, since DVC reads it for each stage: YAML of that size would cost every stage a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dgr.core.errors import DGRError, nearest
from dgr.core.files import read_json
from dgr.core.paths import PLAN, SUITES

Plan = dict[str, dict[str, Any]]
REMEDY = "run `python -m dgr plan` from the repository's top folder"


def read_plan() -> Plan:
    """The plans of all suites in one, by kind of stage and key; keys name their suite.

    Raises:
        DGRError: one is missing or damaged.
    """
    return merged([_read(path) for path in (PLAN, *sorted(SUITES.glob(f"*/{PLAN.name}")))])


def _read(path: Path) -> Plan:
    plan = read_json(path, REMEDY)
    if not isinstance(plan, dict) or not all(isinstance(entries, dict) for entries in plan.values()):
        raise DGRError(f"{path} is no plan; {REMEDY}.")
    return plan


class _Whole(dict[str, dict[str, Any]]):
    """All plans; what a damaged one lacks is an error that says so."""

    def __missing__(self, stage: str) -> dict[str, Any]:
        raise DGRError(f"{PLAN} has no '{stage}', which every plan has; {REMEDY}.")


def merged(plans: list[Plan]) -> Plan:
    """Several suites' plans in one."""
    whole = _Whole()
    for plan in plans:
        for stage, entries in plan.items():
            whole.setdefault(stage, {}).update(entries)
    whole.pop("paths", None)  # those are the one thing that is not keyed
    return whole


def tunings(plan: Plan) -> dict[str, Any]:
    """All that tuning chooses, by key of the run that it chooses for."""
    return plan["tuning"] | plan["matching"]


def plan_entry(key: str, stages: tuple[str, ...]) -> Any:
    """The plans' entry of a key, under the first of the stages that has one.

    Raises:
        DGRError: none of them has; names the nearest key.
    """
    plan = read_plan()
    known = {name: entry for stage in stages for name, entry in plan[stage].items()}
    if key not in known:
        raise DGRError(f"The plan has no entry '{key}' under {' or '.join(stages)}{nearest(key, known)}.")
    return known[key]
