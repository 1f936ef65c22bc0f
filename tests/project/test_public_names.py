"""What ``import dgr`` gives, and what it costs: checked by the modules it brings, not by the clock."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dgr

LIGHT = {"dgr", "torch", "numpy", "typing_extensions"}


def modules_after(statement: str, before: str = "pass") -> set[str]:
    """Names of the modules that a statement imports in a fresh interpreter, after another one."""
    code = f"import sys; {before}; old = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - old))"
    return set(subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_imports_nothing_but_it() -> None:
    brought = {name.partition(".")[0] for name in modules_after("import dgr")}
    assert brought <= {"dgr", *sys.stdlib_module_names}


def test_the_penalty_and_the_controls_bring_torch_and_nothing_heavy() -> None:
    brought = modules_after(
        "from dgr import DummyGradientNorm, FeatureNormPenalty, MultiTaskModel, Task", "import torch"
    )
    assert {name.partition(".")[0] for name in brought} <= LIGHT | {*sys.stdlib_module_names}
    # Importing torch is the cost; its compiler and such would double it.
    assert not {name for name in brought if name.startswith(("torch.", "numpy."))}


@pytest.mark.parametrize("name", dgr.__all__)
def test_every_public_name_is_there_and_described(name: str) -> None:
    value = getattr(dgr, name)
    assert name in dir(dgr)
    assert not callable(value) or value.__doc__


def test_type_checkers_see_the_same_names() -> None:
    stub = ast.parse(Path(dgr.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imported = [alias for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert all(alias.asname == alias.name for alias in imported), "only 'x as x' is public to a type checker"
    assert sorted([*(alias.name for alias in imported), "__version__"]) == dgr.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'dgr' has no attribute 'penalty'"):
        dgr.penalty  # noqa: B018
