"""The example of docs/data.md, run as the page says: from a folder of images to T1, in both engines."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest
from data_page import ADDED, COMMANDS, DATASETS, FILES, KIND
from PIL import Image
from project_support import Project, make_project

KEYS = [f"shapes-shapes-conv-{run}" for run in ("single_task-none", "equal_weighting-none", "equal_weighting-dgr")]
PREPARE = "suites/shared/dvc.yaml:prepare_local@shapes"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = make_project(tmp_path_factory.mktemp("page"))
    for path, text in FILES.items():
        if path != KIND:
            made.write(path, text)
    made.write(DATASETS, made.read(DATASETS) + ADDED)
    for script in ("own/draw_shapes.py", "own/write_vectors.py"):
        made.run("python", script)
    for line in COMMANDS.splitlines():
        made.run(*shlex.split(line))
    return made


def test_the_page_shows_all_that_it_takes() -> None:
    assert list(FILES) == [
        "own/shapes/labels.csv",
        "own/draw_shapes.py",
        "paper_configs/shapes/T1.yaml",
        "own/write_vectors.py",
        KIND,
    ]


def test_the_table_compares_the_methods_by_both_tasks(project: Project) -> None:
    table = pd.read_csv(project.root / "results/shapes/tables/T1.csv")
    runs = pd.read_csv(project.root / "results/shapes/records/runs.csv").query("split == 'test' and moment == 'final'")
    assert list(table["record"]) == KEYS
    shown = runs.query("metric in ('accuracy', 'squared_error')")
    by_seed = shown.query("regularizer == 'none'").pivot(index=["method", "seed"], columns="task", values="value")
    assert len(by_seed) == 4
    usual, ours = by_seed.loc["single_task"].mean(), by_seed.loc["equal_weighting"]
    # A run that is worse than single tasks by more than half in one task has collapsed, and is counted instead.
    kept = ours[(ours["shape"] >= 0.5 * usual["shape"]) & (ours["size"] <= 1.5 * usual["size"])]
    assert (table.loc[1, "n"], table.loc[1, "collapsed"]) == (2, 2 - len(kept))
    assert len(kept) >= 1
    for task in ("shape", "size"):
        values = kept[task]
        (column,) = (name for name in table if name.startswith(task) and name.endswith("mean") and "best" not in name)
        assert table.loc[1, column] == pytest.approx(values.mean())
    text = project.read("results/shapes/tables/T1.md")
    assert "Test accuracy and squared error of each task and Δm" in text
    assert (project.root / "results/shapes/audit.html").is_file()


def test_what_is_missing_is_known(project: Project) -> None:
    manifest = json.loads(project.read("data/shapes/manifest.json"))
    assert [task["partial"] for task in manifest["tasks"]] == [True, True]
    assert manifest["report"]["missing"] == {
        "shape": {"train": 1, "val": 1, "test": 0},
        "size": {"train": 1, "val": 0, "test": 1},
    }
    test = np.load(project.root / "data/shapes/test_size.npy")
    assert test.shape == (6, 1)
    assert np.isnan(test).sum() == 1


def test_both_engines_notice_another_image_and_what_was_trained_on_it(project: Project) -> None:
    assert project.run("dvc", "status", "suites/shapes/dvc.yaml", PREPARE) == "Data and pipelines are up to date.\n"
    config = ("--config", "suite=shapes")
    assert project.snakemake("--dry-run", *config) == set()
    path = project.root / "own/shapes/circle_3_0.png"
    before = path.read_bytes()
    Image.new("L", (12, 12), 7).save(path)
    try:
        stale = project.snakemake("--dry-run", *config)
        assert {PREPARE, *(f"suites/shapes/dvc.yaml:train@{key}" for key in KEYS)} <= stale
        assert set(json.loads(project.run("dvc", "status", "--json", PREPARE))) == {PREPARE}
    finally:
        path.write_bytes(before)


def test_a_broken_table_fails_with_its_own_sentence_and_leaves_nothing(project: Project) -> None:
    text = project.read("own/shapes/labels.csv")
    project.write("own/shapes/labels.csv", text.replace("circle_3_0.png,circle", "circle_3_0.png,cirle"))
    before = project.bytes_below("data/shapes")
    try:
        output = project.run("python", "-m", "dgr", "prepare", "shapes", fails=True)
    finally:
        project.write("own/shapes/labels.csv", text)
    wrong = "own/shapes/labels.csv, line 2, column 'shape', holds 'cirle', no class of 'shape'; did you mean 'circle'?"
    assert output == f"dgr: {wrong}\n"
    assert project.bytes_below("data/shapes") == before


def test_a_split_that_nobody_knows_stops_snakemake_before_anything_runs(project: Project) -> None:
    text = project.read("own/shapes/labels.csv")
    project.write("own/shapes/labels.csv", text.replace("0.25,train", "0.25,trian", 1))
    try:
        output = project.run("snakemake", "--cores", "2", "--config", "suite=shapes", fails=True)
    finally:
        project.write("own/shapes/labels.csv", text)
    assert "line 2, column 'split', holds 'trian', but a split is one of train, val, test." in output
    assert "Traceback" not in output
    assert "Building DAG of jobs" not in output


def test_the_arrays_of_the_page_are_prepared(project: Project) -> None:
    project.run("python", "-m", "dgr", "prepare", "vectors")
    inputs, total = (np.load(project.root / f"data/vectors/train_{name}.npy") for name in ("images", "total"))
    assert inputs.shape == (24, 5, 1, 1)
    np.testing.assert_allclose(inputs.reshape(24, 5).sum(axis=1, keepdims=True), total, rtol=1e-5)
