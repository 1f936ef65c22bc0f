"""Whether every method of a plan is one, with options that it has."""

from __future__ import annotations

from dgr.config.plan_file import Plan
from dgr.methods.registry import build_method


def check_methods(plan: Plan) -> None:
    """Build each method that a plan names, to see that it can be built.

    Raises:
        DGRError: a method or an option is unknown, or a value is not valid.
    """
    for stage in ("runs", "tuned_runs", "tuning", "matching", "sweeps", "costs"):
        for entry in plan.get(stage, {}).values():
            run = entry.get("run", entry)
            for method in run.get("methods") or [run["method"]]:
                build_method(method["name"], 2, **method["options"])
