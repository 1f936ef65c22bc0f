"""A method is a file: what it may import, what it must define, what it needs, and how mistakes in it are told."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

import dgr.methods
from dgr.core.errors import DGRError
from dgr.core.registry import Listing, Registry
from dgr.methods import METHODS, Method, build_method
from dgr.plan import suite_files
from dgr.records.names import method_label

FOLDER = Path(dgr.methods.__file__).parent
FOUNDATIONS = ("dgr.core", "dgr.models", "dgr.methods.shared")
OVER_LOSSES = (
    "single_task", "equal_weighting", "random_weighting", "dwa", "uncertainty_weighting", "auto_lambda",
    "svd_reweighting", "slgrad", "single_gradient_step",
)  # fmt: skip
CLASS = """
from dgr.methods.shared.loss_weighting import LossWeighting
class {name}(LossWeighting):
    def weigh(self, step):
        return step.even_weights()
"""
LABEL = 'LABEL = "X"\n'


@pytest.mark.parametrize("file", [*METHODS, *(f"shared/{path.stem}" for path in FOLDER.glob("shared/*.py"))])
def test_a_method_imports_what_methods_are_made_of_and_no_other_method(file):
    tree = ast.parse((FOLDER / f"{file}.py").read_text(encoding="utf-8"))
    imported = {f"{node.module}." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {f"{alias.name}." for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    own = {name for name in imported if name.startswith("dgr.")}
    assert all(name.startswith(tuple(f"{each}." for each in FOUNDATIONS)) for name in own), own


def test_the_files_name_is_the_methods_and_its_class_and_label_are_its_own():
    assert sorted(METHODS) == sorted(path.stem for path in FOLDER.glob("[!_]*.py") if path.stem != "registry")
    assert all(issubclass(METHODS[name], Method) for name in METHODS)
    for own in ({name: METHODS[name] for name in METHODS}, {name: method_label(name) for name in METHODS}):
        assert [shared for shared, count in Counter(own.values()).items() if count > 1] == []


def test_needing_a_main_task_is_said_by_those_that_need_one_and_by_no_other():
    for name in METHODS:
        try:
            build_method(name, 2)
            refused = False
        except DGRError as error:
            refused = "name it with the option 'main_task'" in str(error)
        assert METHODS[name].needs_main_task == refused, name


def in_new_process(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_methods_over_plain_losses_need_torch_alone_and_others_name_the_extra():
    code = """if True:
    import sys
    for package in ("torchjd", "cvxpy", "clarabel", "pandas", "scipy", "sklearn", "pydantic", "torchmetrics",
                    "torchvision", "typer", "yaml", "matplotlib"):
        sys.modules[package] = None  # importing it fails as if it were not installed
    from dgr import DGRError, build_method
    from dgr.methods import METHODS
    for name in METHODS:
        try:
            build_method(name, 2, **({"main_task": "a"} if METHODS[name].needs_main_task else {}))
            print(name)
        except DGRError as error:
            missing = "clarabel" if name == "cagrad" else "torchjd"
            assert f"Method '{name}' needs the package '{missing}', which is not installed" in str(error), error
            assert "run `pip install 'dgr[methods]'`" in str(error), error
    """
    assert set(in_new_process(code).split()) == set(OVER_LOSSES)


def test_only_the_method_that_takes_a_solver_misses_it():
    code = """if True:
    import sys
    sys.modules["clarabel"] = sys.modules["ecos"] = None
    from dgr import DGRError, build_method
    for name in ("pcgrad", "cagrad", "nash_mtl"):
        try:
            build_method(name, 2)
        except DGRError as error:
            print(str(error).split("'")[1::2][:2])
    """
    assert in_new_process(code).splitlines() == ["['cagrad', 'clarabel']"]


def test_names_and_labels_are_told_without_torch():
    code = """if True:
    import sys
    import dgr.methods
    from dgr.records.names import KNOWN_METHODS, method_label
    print(*map(method_label, KNOWN_METHODS))
    assert "torch" not in sys.modules
    """
    assert in_new_process(code).split() == [method_label(name) for name in METHODS]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """In place of the project's methods, the files that a test writes."""
    package = tmp_path / "made_up_methods"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(METHODS, "modules", Registry(package.name, "method"))
    monkeypatch.setattr(suite_files, "METHOD_FILES", Listing(package.name, "method"))
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == package.name]:
        del sys.modules[name]


def test_a_class_that_a_method_is_built_on_does_not_count(folder):
    (folder / "mine.py").write_text(LABEL + CLASS.format(name="_Base") + CLASS.format(name="Mine"))
    assert list(METHODS) == ["mine"]
    assert type(build_method("mine", 2)).__name__ == "Mine"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LABEL, "mine.py must define one public class that derives from Method, but defines none"),
        (LABEL + CLASS.format(name="_Mine"), "but defines none"),
        (LABEL + CLASS.format(name="One") + CLASS.format(name="Two"), "but defines One and Two"),
        (CLASS.format(name="Mine"), "mine.py is no method: it does not declare LABEL as a plain value"),
        ("LABEL = str(1)\n" + CLASS.format(name="Mine"), "it does not declare LABEL as a plain value"),
    ],
)
def test_a_file_that_is_no_method_is_told_in_one_sentence(folder, text, sentence):
    (folder / "mine.py").write_text(text)
    with pytest.raises(DGRError) as error:
        build_method("mine", 2)
    assert sentence in str(error.value)


def test_two_files_of_one_name_are_told_in_one_sentence(folder):
    (folder / "mine.py").write_text(LABEL + CLASS.format(name="Mine"))
    (folder / "mine").mkdir()
    (folder / "mine" / "__init__.py").touch()
    with pytest.raises(DGRError, match="both make method 'mine'; rename one"):
        build_method("mine", 2)


def test_a_plan_with_a_class_that_is_not_complete_is_not_made(project, command, folder):
    for name in ("single_task", "equal_weighting"):
        (folder / f"{name}.py").write_text(LABEL + CLASS.format(name="Mine"))
    (folder / "mine.py").write_text(LABEL + "from dgr.methods.shared.base import Method\nclass Mine(Method): pass\n")
    sweep = project / "paper_configs/mini/T6.yaml"
    sweep.write_text(yaml.safe_dump(yaml.safe_load(sweep.read_text()) | {"method": {"name": "mine"}}))
    assert "Method 'mine', class Mine, cannot be made: Can't instantiate abstract class Mine" in command("plan")


def test_a_plan_with_a_file_that_is_no_method_is_not_made(project, command, folder):
    for name, text in {"single_task": CLASS, "equal_weighting": CLASS, "mine": ""}.items():
        (folder / f"{name}.py").write_text(LABEL + text.format(name="Mine"))
    sweep = project / "paper_configs/mini/T6.yaml"
    sweep.write_text(yaml.safe_dump(yaml.safe_load(sweep.read_text()) | {"method": {"name": "mine"}}))
    before = (project / "plan.json").read_bytes()
    assert "must define one public class that derives from Method" in command("plan")
    assert (project / "plan.json").read_bytes() == before
