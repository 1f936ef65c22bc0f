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


WITHOUT_NUMBERS = {"plan", "fetch"}
"""Stages that check and fetch."""
CODE = "${paths.code}/"
"""A file that stands for what one stage names, ``suites/shared/dvc.yaml:NAME_code``."""


@pytest.mark.parametrize("stage", [stage for stage in STAGES if not stage.endswith("_code")])
def test_deps_name_the_modules_a_stage_imports(stage: str) -> None:
    imported = modules_of(stage)
    deps = [dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]
    declared = {file for dep in deps for file in source_files(dep)}
    # Whole folders are one entry: each entry of a stage costs a moment whenever DVC writes its lock.
    whole = tuple(dep for dep in deps if (ROOT / dep).is_dir() or "$" in dep)
    assert all(source_files(dep) & imported for dep in whole)
    unused = declared - imported - {file for dep in whole for file in source_files(dep)}
    shared = {file for dep in code_deps(stage) for file in source_files(dep)}
    assert (imported - declared - shared, unused) == (set(), set()), f"{stage}: add the first, remove the second"


@pytest.mark.parametrize("code", [stage for stage in STAGES if stage.endswith("_code")])
def test_shared_code_is_what_its_stages_import(code: str) -> None:
    users = [stage for stage in STAGES if STAGES[code]["deps"] == code_deps(stage)]
    imported = {file for stage in users for file in modules_of(stage)}
    for dep in (dep for dep in STAGES[code]["deps"] if dep.startswith("src/")):
        assert source_files(dep) & imported, dep


def test_what_computes_depends_on_the_environment() -> None:
    for stage, definition in STAGES.items():
        found = {*definition["deps"], *code_deps(stage)}
        computes = stage.rpartition(":")[2] not in WITHOUT_NUMBERS
        assert not computes or {"requirements.hashes", "requirements.lock"} <= found, stage


def modules_of(stage: str) -> set[str]:
    return modules_of_command(STAGES[stage]["cmd"].split()[3].replace("-", "_"))


def code_deps(stage: str) -> list[str]:
    """What the files of shared code among a stage's dependencies stand for."""
    names = [dep.removeprefix(CODE).removesuffix(".json") for dep in STAGES[stage]["deps"] if dep.startswith(CODE)]
    return [dep for name in names for dep in STAGES[f"suites/shared/dvc.yaml:{name}_code"]["deps"]]


def source_files(dep: str) -> set[str]:
    """The files that a dependency stands for: a folder's, or every entry of a registry of which a run uses one."""
    pattern = re.sub(r"\$\{.*?\}", "[!_]*", dep)
    paths = [path for found in ROOT.glob(pattern) for path in (found.rglob("*.py") if found.is_dir() else [found])]
    return {str(path.relative_to(ROOT)) for path in paths}
