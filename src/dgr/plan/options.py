"""What `dgr plan` asks beyond the schema: can every method be built, and are there seeds enough for verdicts?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dgr.config.plan_file import Plan
from dgr.core.errors import DGRError, reason
from dgr.methods.registry import METHODS, build_method
from dgr.plan.suite_files import TableFile, read_file
from dgr.plan.suites import FEWEST_FOR_A_VERDICT

VERDICTS = "claims"
"""The table that shows them."""


def check_methods(plan: Plan) -> None:
    """Build each method that a plan names, to see that it can be built.

    Raises:
        DGRError: a method or an option is unknown, a value is not valid, or a method's class is not complete.
    """
    for stage in ("runs", "tuned_runs", "tuning", "matching", "sweeps", "costs"):
        for entry in plan.get(stage, {}).values():
            run = entry.get("run", entry)
            for method in run.get("methods") or [run["method"]]:
                try:
                    build_method(method["name"], 2, **method["options"])
                except TypeError as error:  # Python's own words, such as of an abstract method that it lacks
                    name = METHODS[method["name"]].__name__
                    raise DGRError(
                        f"Method '{method['name']}', class {name}, cannot be made: {reason(error)}"
                    ) from error


def too_few_seeds(configs: Path, suite: str = "*") -> Iterator[str]:
    """A sentence for each such file of ``paper_configs``; that it plans runs is no mistake, which a person may want."""
    for path in sorted(configs.glob(f"{suite}/*.yaml")):
        file = read_file(path)
        if isinstance(file, TableFile) and VERDICTS in file.tables and len(file.seeds) < FEWEST_FOR_A_VERDICT:
            yield (
                f"{path}: with so few seeds ({len(file.seeds)}) no claim can be decided; name at least "
                f"{FEWEST_FOR_A_VERDICT}, or leave out the table '{VERDICTS}'."
            )
