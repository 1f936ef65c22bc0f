"""The stages of a suite, from its dvc.yaml and its plan together: what the Snakefile and ``dgr list`` read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dgr.config.plan_file import Plan
from dgr.core.files import read_json
from dgr.core.paths import PLAN, SHARED, SOURCES, STAGES, suite_folder
from dgr.models.registry import ENCODERS
from dgr.plan.locks import described_stages

CHECK = "plan"
"""The stage that checks a plan and comes before all others."""
OVERVIEW, INDEX, REPORT = "overview", "index", "report"
OVER_ALL = (OVERVIEW, INDEX, REPORT)
"""The stages that make the figure, the page and the report over all suites."""
PLACEHOLDER = re.compile(r"\$\{([\w.]+)\}")


@dataclass(frozen=True)
class Stage:
    """One entry of a dvc.yaml, with all that it is repeated over.

    Attributes:
        name: e.g. ``train``.
        file: the dvc.yaml it stands in.
        definition: its ``deps`` and ``outs``, where ``${key}``, ``${item.…}`` and ``${paths.…}`` stand for values.
        entries: configurations by key; one under the key ``""`` where the stage is not repeated.
        paths: what ``${paths.…}`` stands for.
    """

    name: str
    file: Path
    definition: dict[str, Any]
    entries: dict[str, Any]
    paths: dict[str, str]

    def templates(self, block: str) -> list[str]:
        """The paths of ``deps`` or ``outs``, not filled in."""
        items = self.definition.get(block, [])  # `PATH` or `PATH: {cache: false}`
        return [next(iter(item)) if isinstance(item, dict) else item for item in items]

    def fill(self, key: str, block: str) -> list[str]:
        """The paths of ``deps`` or ``outs`` of one key."""
        return [self.filled(template, key) for template in self.templates(block)]

    def filled(self, template: str, key: str) -> str:
        """A path or command of the definition with the values of one key."""
        scope = {"key": key, "item": self.entries[key], "paths": self.paths}
        return PLACEHOLDER.sub(lambda match: _value(scope, match[1]), template)

    def address(self, key: str) -> str:
        """What DVC calls the stage of one key."""
        place = "" if self.file == STAGES else f"{self.file}:"
        return f"{place}{self.name}@{key}" if key else f"{place}{self.name}"


def key_of(wildcards: Mapping[str, str]) -> str:
    """A job's key: tables and figures are files of their suite's folder; others have it in their outputs, or none.

    Args:
        wildcards: of the job's outputs, as Snakemake finds them.
    """
    name = wildcards.get("name")
    return f"{wildcards.get('suite')}-{name}" if name else wildcards.get("key", "")


def suite_stages(suite: str) -> dict[str, Stage]:
    """The stages of a suite and, of those that suites share, what it needs; by name.

    Raises:
        DGRError: a plan is missing.
    """
    own, shared = _read(suite_folder(suite)), _read(SHARED)
    makers = {out: (stage, key) for stage in shared for key in stage.entries for out in stage.fill(key, "outs")}
    wanted = {dep for stage in own for key in stage.entries for dep in needs(stage, key)}
    needed: dict[str, set[str]] = {stage.name: set() for stage in shared}
    while found := [makers[path] for path in wanted if path in makers]:
        wanted = {dep for stage, key in found for dep in needs(stage, key)}
        for stage, key in found:
            needed[stage.name].add(key)
    if any(stage.name == "audit" and stage.entries for stage in own):
        needed |= {name: {""} for name in OVER_ALL}
    chosen = [
        replace(stage, entries={key: stage.entries[key] for key in stage.entries if key in needed[stage.name]})
        for stage in shared
    ]
    return {stage.name: stage for stage in (*chosen, *own) if stage.name != CHECK}


def needs(stage: Stage, key: str) -> Iterator[str]:
    """What a stage reads, pretrained weights as well.

    The run's entry in the plan has the weights' hash, so that DVC needs no dependency on where they lie.
    """
    yield from stage.fill(key, "deps")
    entry = stage.entries[key]
    architecture = entry.get("run", entry).get("architecture")
    if isinstance(architecture, dict):
        source = ENCODERS[architecture["name"]].Config(**architecture).weights_source
        if source is not None:
            yield str(SOURCES / source)


def _read(folder: Path) -> list[Stage]:
    """The stages of a folder's dvc.yaml."""
    plan: Plan = read_json(folder / PLAN, "run `python -m dgr plan`")
    stages = described_stages(folder / STAGES)
    return [_stage(name, folder / STAGES, stage, plan) for name, stage in stages.items()]


def _stage(name: str, file: Path, stage: dict[str, Any], plan: Plan) -> Stage:
    repeated = "foreach" in stage
    entries = plan[stage["foreach"].strip("${}")] if repeated else {"": {}}
    return Stage(name, file, stage["do"] if repeated else stage, entries, plan["paths"])


def _value(scope: dict[str, Any], name: str) -> str:
    """What a dotted name stands for."""
    value: Any = scope
    for part in name.split("."):
        value = value[part]
    return str(value)
