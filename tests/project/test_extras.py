"""Each package that the code imports is declared once: by the light part, or by the extra that the messages name."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dgr.core.extras import EXTRAS, MissingExtraError, needed

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOT_IMPORTED = {"snakemake-executor-plugin-slurm", "ruamel-yaml-clib"}  # Snakemake and DVC look for them themselves


def declared(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements} - {"dgr"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_messages_know_what_each_extra_brings(extra: str) -> None:
    where = packages_distributions()
    brought = {canonicalize_name(where[package][0]) for package in EXTRAS[extra]}
    assert brought == declared(PROJECT["optional-dependencies"][extra]) - NOT_IMPORTED


def test_nothing_is_imported_that_is_not_declared() -> None:
    light = {name.replace("-", "_") for name in declared(PROJECT["dependencies"])}
    known = light | {"dgr", *sys.stdlib_module_names}.union(*EXTRAS.values())
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.partition(".")[0] for name in names} <= known, path


def test_a_missing_package_names_its_extra() -> None:
    sentence = r"^Method 'pcgrad' needs the package 'torchjd', which .*; run `pip install 'dgr\[methods\]'`\.$"
    with pytest.raises(MissingExtraError, match=sentence), needed("Method 'pcgrad'"):
        raise ModuleNotFoundError("No module named 'torchjd.autojac'", name="torchjd.autojac")


def test_a_module_that_nobody_declares_is_pythons_own_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="nonsense") as caught, needed("This"):
        raise ModuleNotFoundError("No module named 'nonsense'", name="nonsense")
    assert not isinstance(caught.value, MissingExtraError)
