from pathlib import Path
from typing import Any

import pytest
from adding_support import ProjectCopy
from PIL import Image
from synthetic import SUITE, write_plan

from dgr.core.errors import DGRError
from dgr.core.registry import Registry
from dgr.figures.registry import write_figure
from dgr.tables import registry
from dgr.tables.registry import TABLES, write_table

COUNTS = '''"""T9: how many seeds each run has."""

import pandas as pd

from dgr.tables.shared.rendering import Table

NAMES = ("T9",)


def build(scope):
    data = pd.DataFrame({"run": list(scope.runs), "n": [len(entry["seeds"]) for entry in scope.runs.values()]})
    text = data.astype(str).rename(columns={"run": "Run"})
    return Table(data, text, [0] * len(data), "Seeds of each run.", ["Counted."], [[key] for key in scope.runs])
'''


def test_adding_a_table_takes_one_file(tmp_path: Path, tiny_data: Path) -> None:
    copy = ProjectCopy(tmp_path, tiny_data)
    copy.write("src/dgr/tables/counts.py", COUNTS)
    for path in (copy.root / "paper_configs/mini").glob("*.yaml"):
        if path.stem != "T1":
            path.unlink()
    copy.edit_yaml("paper_configs/mini/T1.yaml", only_plain_runs_and_t9)
    copy.make_tables()
    run = "mini-multimnist-conv-single_task-none"
    assert copy.read("results/mini/tables/T9.csv") == f"run,n,record\n{run},2,{run}\n"
    assert "Seeds of each run." in copy.read("results/mini/tables/T9.tex")
    assert copy.changed() == {"src/dgr/tables/counts.py"}


def only_plain_runs_and_t9(suite: dict[str, Any]) -> None:
    for name in ("probes", "snapshots", "embedding"):
        del suite[name]
    suite |= {"methods": [{"name": "single_task"}], "regularizers": [{"use": {"name": "none"}}], "tables": ["T9"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the package's tables."""
    package = tmp_path / f"tables_of_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "TABLES", Registry(package.name, "table", provides=("NAMES", "build")))
    return package


def test_a_remark_on_the_data_stands_under_tables_and_figures(results: Path, plan: dict[str, Any]) -> None:
    remark = "Pictures of 24×32 pixels."
    assert results.exists()
    for stage, name in (("tables", "T1"), ("figures", "F5")):
        plan[stage][f"{SUITE}-{name}"]["remark"] = remark
    write_plan(plan)
    (markdown,) = (path for path in write_table(SUITE, "T1") if path.suffix == ".md")
    assert remark in markdown.read_text()
    assert all(remark not in path.read_text() for path in write_table(SUITE, "T4") if path.suffix == ".md")
    (picture,) = (path for path in write_figure(SUITE, "F5") if path.suffix == ".png")
    with Image.open(picture) as image:
        assert image.info["Description"].endswith(remark)


def test_every_file_is_found_by_the_names_it_declares() -> None:
    assert TABLES.by_names() == {
        "T1": "main",
        "T2": "main",
        "T3": "main",
        "T4": "transfer",
        "T5": "cost",
        "T6": "ablation",
        "T7": "significance",
        "M1": "specification_curve",
        "M2": "specification_choices",
        "M3": "specification_list",
        "claims": "claims",
    }
    assert all(callable(TABLES[file].build) for file in TABLES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def build(scope): ...", "is no table: it does not declare NAMES"),
        ("NAMES = tuple('T9')", "is no table: it does not declare NAMES as a plain value"),
        ("NAMES = 'T9'", r"NAMES must be a tuple of names, such as \('X9',\)"),
    ],
)
def test_a_file_that_declares_no_names_is_refused(folder: Path, text: str, message: str) -> None:
    (folder / "mine.py").write_text(text)
    with pytest.raises(DGRError, match=f"mine.py.* ?{message}"):
        write_table("toy", "T9")


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text(COUNTS)
    with pytest.raises(DGRError, match=r"one\.py and .*two\.py both make table T9; rename it"):
        write_table("toy", "T9")
