"""The specifications of a curve: one question asked under many reasonable configurations.

The idea is from U. Simonsohn, J. Simmons, L. Nelson, "Specification curve analysis", Nature Human Behaviour 4 (2020).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any

from dgr.config.parsing import Strict, parse
from dgr.config.plan_file import Plan
from dgr.core.errors import DGRError, nearest
from dgr.plan.suite_files import SpecificationFile
from dgr.training.configuration import RunConfig, SweepConfig


class Specification(Strict):
    """What the plan says of a specification, beside the sweep of the same key."""

    suite: str
    choices: dict[str, str]
    """The option of each choice."""
    balanced: str
    """The choice that is not crossed with the others."""
    region: float
    """A difference of mean test accuracy within ± this is too small to matter."""


def stages_of_specifications(file: SpecificationFile) -> Iterator[tuple[str, str, Strict]]:
    """Section of the plan, key and entry: each specification is a sweep, and under the same key what it consists of.

    Raises:
        DGRError: as :func:`specifications`.
    """
    for chosen, sweep in specifications(file):
        key = f"{file.suite}-{sweep.run.dataset}-{sweep.run.architecture.name}-{sweep.name}"
        yield "sweeps", key, sweep
        entry = Specification(suite=file.suite, choices=chosen, balanced=file.balanced, region=file.region)
        yield "specifications", key, entry


def check_alone(plan: Plan, folder: Path) -> None:
    """A suite of specifications has nothing beside them: its tables are about all of its data sets.

    Args:
        plan: of one suite.
        folder: where its files are, for the message.

    Raises:
        DGRError: it trains or measures something else too.
    """
    if not plan["specifications"]:
        return
    not_alone = ("runs", "tuned_runs", "costs", "studies", "real_studies")
    others = [name.replace("_", " ") for name in not_alone if plan[name]]
    others += ["sweeps"] * (plan["sweeps"].keys() != plan["specifications"].keys())
    if others:
        raise DGRError(f"{folder}: it has specifications and also {', '.join(others)}; move these into another suite.")


def specifications(file: SpecificationFile) -> Iterator[tuple[dict[str, str], SweepConfig]]:
    """Each specification: the option of each choice, and the training of all arms under it.

    Raises:
        DGRError: the balanced choice is none, a path is no setting, or a setting does not fit.
    """
    if file.balanced not in file.choices:
        raise DGRError(f"Suite '{file.suite}' has no choice '{file.balanced}'{nearest(file.balanced, file.choices)}.")
    crossed = {name: list(options) for name, options in file.choices.items() if name != file.balanced}
    levels = list(file.choices[file.balanced])
    for options in itertools.product(*crossed.values()):
        chosen = dict(zip(crossed, options, strict=True))
        position = sum(crossed[name].index(option) for name, option in chosen.items())
        chosen = {name: chosen.get(name, levels[position % len(levels)]) for name in file.choices}
        yield chosen, _sweep(file, chosen)


def _sweep(file: SpecificationFile, chosen: dict[str, str]) -> SweepConfig:
    name = "-".join(chosen.values())
    run: dict[str, Any] = file.model_dump(include={"suite", "dataset", "architecture", "training", "method", "seeds"})
    run["regularizer"] = {"name": "none"}
    options = [file.choices[choice][option] for choice, option in chosen.items()]
    for option in options:
        for path, value in option.set.items():
            block, last = _place(run, path, name)
            block[last] = value
    for option in options:
        for path, factor in option.times.items():
            block, last = _place(run, path, name)
            number = block[last]
            if not isinstance(number, int | float) or not isfinite(value := number * factor):
                raise DGRError(f"Specification {name} multiplies '{path}', which is no number; set it instead.")
            block[last] = round(value) if isinstance(number, int) else float(f"{value:.6g}")
    config = parse(RunConfig, run, f"specification {name}")
    sweep = SweepConfig(suite=file.suite, name=name, run=config, vary={"regularizer": file.arms})
    sweep.points()
    return sweep


def _place(run: dict[str, Any], path: str, name: str) -> tuple[dict[str, Any], str]:
    """The block that holds a setting, and the setting's name in it."""
    *blocks, last = path.split(".")
    block: Any = run
    for part in blocks:
        block = block.get(part) if isinstance(block, dict) else None
    if not isinstance(block, dict) or last not in block:
        raise DGRError(f"Specification {name} changes '{path}', which is no setting of a run{nearest(path, run)}.")
    return block, last
