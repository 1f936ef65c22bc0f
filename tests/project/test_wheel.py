"""The wheel in an environment with torch and what it brings, and nothing else."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from readme_support import script

ROOT = Path(__file__).parents[2]
METHOD = """
from torch.nn.functional import cross_entropy
from dgr import DGRError, MultiTaskModel, Step, Task, build_method

tasks = [Task("left", "classification", 3), Task("right", "classification", 3)]
model = MultiTaskModel(encoder, nn.ModuleDict({task.name: head for task, head in zip(tasks, heads)}))
method = build_method("uncertainty_weighting", len(tasks))
inputs, targets = loader[0]
z = model.encoder(inputs)
predictions = model.predict(z)
losses = [task.loss(predictions[task.name], target) for task, target in zip(tasks, targets)]
optimizer.zero_grad()
batch = inputs, {task.name: target for task, target in zip(tasks, targets)}
weights = method.backward(Step(model, tasks, batch, z, predictions, losses, regularizer(z, targets), None, optimizer))
assert weights.shape == (2,)
assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
"""
MISSING = """
import dgr
for attempt, extra in ((lambda: dgr.build_method("pcgrad", 2), "methods"), (lambda: dgr.compare, "study")):
    try:
        attempt()
    except dgr.DGRError as error:
        assert f"pip install 'dgr[{extra}]'" in str(error), error
        assert isinstance(error, ImportError)
    else:
        raise AssertionError(extra)
"""


def with_dependencies(*names: str) -> dict[str, Distribution]:
    """Installed distributions by name: these, and all that they require where they are installed."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        try:
            each = distribution(name)
        except PackageNotFoundError:  # such as CUDA's libraries beside a build for CPUs
            continue
        if name not in found:
            found[name] = each
            wanted = map(Requirement, each.requires or [])
            waiting += [one.name for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: building leaves folders behind."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src/dgr", folder / "src/dgr", ignore=shutil.ignore_patterns("__pycache__"))
    run("-m", "pip", "wheel", "-q", "--no-index", "--no-deps", "--no-build-isolation", "-w", "dist", ".", cwd=folder)
    (built,) = (folder / "dist").glob("dgr-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's Python; torch is linked into it, the wheel is installed."""
    folder = tmp_path_factory.mktemp("light")
    run("-m", "venv", "--without-pip", "env", cwd=folder)
    python = folder / "env/bin/python"
    packages = Path(run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))", python=python).strip())
    for each in with_dependencies("torch", "typing-extensions").values():
        for top in {file.parts[0] for file in each.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            if not (packages / top).exists():
                (packages / top).symlink_to(each.locate_file(top))
    run("-m", "pip", "--python", str(python), "install", "-q", "--no-index", "--no-deps", str(wheel))
    return python


def run(*arguments: str, python: Path | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(
        (str(python or sys.executable), *arguments), cwd=cwd, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment() -> dict[str, str]:
    """Without what would let an interpreter find this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def test_the_wheel_holds_what_the_package_reads(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    templates = {path.name for path in (ROOT / "src/dgr/pages/templates").iterdir()}
    assert {f"dgr/pages/templates/{name}" for name in templates} | {"dgr/py.typed", "dgr/__init__.pyi"} <= {*names}
    assert {name.split("/")[0] for name in names} == {"dgr", next(n for n in names if "dist-info" in n).split("/")[0]}
    assert {n for n in names if n.endswith(".py")} == {
        str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py")
    }


def test_the_readme_loop_and_a_method_of_torch_alone_run_there(python: Path, tmp_path: Path) -> None:
    # Torch itself says once that there is no numpy, which nothing here needs.
    only = ("-W", "error", "-W", "ignore:Failed to initialize NumPy:UserWarning")
    run(*only, "-c", script() + METHOD, python=python, cwd=tmp_path)


def test_what_needs_an_extra_says_which(python: Path, tmp_path: Path) -> None:
    run("-c", MISSING, python=python, cwd=tmp_path)


@pytest.mark.parametrize("checkout", [False, True])
def test_a_command_without_checkout_or_without_the_study_is_one_sentence(
    python: Path, tmp_path: Path, checkout: bool
) -> None:
    if checkout:
        (tmp_path / "paper_configs").mkdir()
    wanted = "pip install 'dgr[study]'" if checkout else "commands need a checkout of the repository"
    for call in ([str(python.parent / "dgr")], [str(python), "-m", "dgr"]):
        done = subprocess.run([*call, "train", "x"], cwd=tmp_path, env=environment(), capture_output=True, text=True)
        assert done.returncode == 1
        assert wanted in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert list(tmp_path.iterdir()) == ([tmp_path / "paper_configs"] if checkout else [])
    assert run("-m", "dgr", "--version", python=python, cwd=tmp_path).strip() == "0.1.0"
