"""Adding a kind of data set takes one file: here the one that docs/data.md shows."""

import json
import re
from pathlib import Path

import pytest
import yaml
from adding_support import ROOT, ProjectCopy, without_measurements
from data_page import FILES, KIND

SUITE = "paper_configs/mini/T1.yaml"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, tiny_data: Path) -> ProjectCopy:
    """With the kind's file, and a configuration that trains on such a data set in place of the digits."""
    project = ProjectCopy(tmp_path_factory.mktemp("adding"), tiny_data)
    project.write(KIND, FILES[KIND])
    project.edit_yaml(
        "paper_configs/datasets.yaml", lambda known: known.update(clouds={"kind": "blobs", "points": 40, "seed": 0})
    )

    def use(suite: dict[str, object]) -> None:
        suite["dataset"] = "clouds"
        without_measurements(suite)  # which are of classes alone

    project.edit_yaml(SUITE, use)
    for other in ("T5", "T6"):
        (project.root / f"paper_configs/mini/{other}.yaml").unlink()
    return project


def test_it_is_prepared_trained_and_in_the_table(copy: ProjectCopy) -> None:
    copy.make_tables()
    manifest = json.loads(copy.read("data/clouds/manifest.json"))
    assert [(task["name"], task["kind"], "partial" in task) for task in manifest["tasks"]] == [
        ("cloud", "classification", False),
        ("distance", "regression", False),
    ]
    table = copy.read("results/mini/tables/T1.md")
    assert "data set clouds, architecture conv" in table
    assert re.search(r"\| *EW *\| *\+ DGR *\|", table)
    assert copy.changed() == {KIND}


def test_what_it_costs_is_told_and_measured_from_the_configuration_alone(copy: ProjectCopy) -> None:
    copy.dgr("plan")
    # 2 runs each of single tasks, equal weighting, DGR and matched norm, and 2 trainings to tune each of the last two;
    # 40 points in batches of 32.
    assert "suite 'mini' in all: 12 trainings, 24 steps" in copy.dgr("estimate mini")
    assert "hours of steps" in copy.dgr("estimate mini --measure --steps 1 --device cpu")


@pytest.mark.parametrize("stage", ["prepare", "prepare_fetched", "prepare_local"])
def test_no_other_data_set_depends_on_it(stage: str) -> None:
    stages = yaml.safe_load((ROOT / "suites/shared/dvc.yaml").read_text(encoding="utf-8"))["stages"]
    deps = [Path(dep.replace("${item.kind}", "rooms")) for dep in stages[stage]["do"]["deps"]]
    assert Path("src/dgr/datasets/kinds/rooms.py") in deps
    assert not any(Path(KIND).is_relative_to(dep) for dep in deps)
