"""Whether the stages name the modules that they depend on."""

import re
from pathlib import Path

import pytest
import yaml
from engines_support import modules_of_command

ROOT = Path(__file__).parents[2]
STAGES = {
    f"{file}:{name}": stage.get("do", stage)
    for file in ("dvc.yaml", "suites/shared/dvc.yaml")
    for name, stage in yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["stages"].items()
}


@pytest.mark.parametrize("stage", STAGES)
def test_deps_name_the_modules_a_stage_imports(stage: str) -> None:
    command = STAGES[stage]["cmd"].split()[3].replace("-", "_")
    deps = [dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]
    declared = {file for dep in deps for file in source_files(dep)}
    imported = modules_of_command(command)
    # Whole folders are one entry: each entry of a stage costs a moment whenever DVC writes its lock.
    whole = tuple(dep for dep in deps if (ROOT / dep).is_dir() or "$" in dep)
    assert all(source_files(dep) & imported for dep in whole)
    unused = declared - imported - {file for dep in whole for file in source_files(dep)}
    assert (imported - declared, unused) == (set(), set()), f"{stage}: add the first, remove the second"


WITHOUT_NUMBERS = {"plan", "fetch", "collect", "audit", "index"}
"""Stages that check, fetch, gather or show: they are made again where a stage before them found other numbers."""


def test_what_computes_depends_on_the_environment() -> None:
    for stage, definition in STAGES.items():
        found = {dep for dep in definition["deps"] if dep.startswith("requirements.")}
        computes = stage.rpartition(":")[2] not in WITHOUT_NUMBERS
        assert found == ({"requirements.hashes", "requirements.lock"} if computes else set()), stage


def source_files(dep: str) -> set[str]:
    """The files that a dependency stands for: a folder's, or every entry of a registry of which a run uses one."""
    pattern = re.sub(r"\$\{.*?\}", "[!_]*", dep)
    paths = [path for found in ROOT.glob(pattern) for path in (found.rglob("*.py") if found.is_dir() else [found])]
    return {str(path.relative_to(ROOT)) for path in paths}
