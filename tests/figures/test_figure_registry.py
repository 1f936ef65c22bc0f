import shutil
from pathlib import Path

import pytest

from dgr.core.errors import DGRError
from dgr.core.registry import Registry
from dgr.figures import registry
from dgr.figures.registry import DRAWN

ADDED = '''"""F8: an empty figure."""

from matplotlib.figure import Figure

from dgr.figures.shared.style import Drawing

NAMES = ("F8",)


def build(scope):
    """Nothing is drawn."""
    return Drawing(Figure(figsize=(1, 1)), f"Nothing of {scope.suite}.")
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the figures' folder, which the registry looks into; its files are imported under their usual names."""
    copy = tmp_path / f"of_{tmp_path.name}"  # python keeps what it imported under a name
    shutil.copytree(DRAWN.folder, copy, ignore=shutil.ignore_patterns("__pycache__", "shared", "registry.py"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "DRAWN", Registry(copy.name, "figure", provides=("NAMES", "build")))
    return copy


def test_every_figure_declares_its_name_and_a_function() -> None:
    names = DRAWN.by_names()
    assert set(names) == {"F1", "F2", "F3", "F4", "F5", "F6", "F7", "M1"}
    assert sorted(names.values()) == sorted(DRAWN)
    for name, file in names.items():
        assert (name,) == DRAWN[file].NAMES
        assert DRAWN[file].__doc__.startswith(f"{name}: ")


def test_a_figure_is_added_by_one_file(folder: Path, results: Path, plan: dict) -> None:
    from synthetic import SUITE, write_plan

    assert results.exists()
    (folder / "nothing.py").write_text(ADDED)
    plan["figures"][f"{SUITE}-F8"] = {"suite": SUITE, "name": "F8"}
    write_plan(plan)
    assert [path.name for path in registry.write_figure(SUITE, "F8")] == ["F8.pdf", "F8.png", "F8.svg"]


def test_two_figures_of_one_name(folder: Path) -> None:
    (folder / "nothing.py").write_text(ADDED.replace("F8", "F5"))
    with pytest.raises(DGRError, match=r"learning_curves\.py and .*nothing\.py both make figure F5; rename it"):
        registry.DRAWN.by_names()


def test_a_figure_without_a_name(folder: Path) -> None:
    (folder / "nothing.py").write_text(ADDED.replace("NAMES", "TITLE"))
    with pytest.raises(DGRError, match=r"nothing\.py is no figure: it does not declare NAMES"):
        registry.write_figure("toy", "F5")


def test_a_figure_without_a_function(folder: Path) -> None:
    (folder / "nothing.py").write_text(ADDED.replace("def build", "def paint"))
    with pytest.raises(DGRError, match=r"nothing\.py is no figure: it does not define build"):
        registry.DRAWN["nothing"]
