"""A quick look at the real suite with two seeds gets through to all of its tables and figures."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from dgr.config.plan_file import read_plan
from dgr.core import paths
from dgr.figures.registry import write_figure
from dgr.plan.files import write_plans
from dgr.plan.suites import quick_look
from dgr.tables.registry import write_table

ROOT = Path(__file__).parents[2]
LOOK = "mini-seeds-40-41"
ROOMS = {"0": "40", "1": "41", "0.0": "40.0", "1.0": "41.0"}
"""The seeds of rooms, which stand for those of the digits here."""


@pytest.fixture
def looked_at(tmp_path, monkeypatch):
    """What its stages would leave: the committed records of those seeds, under its name."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / paths.CONFIGS, paths.CONFIGS)
    shutil.copy(ROOT / paths.STAGES, paths.STAGES)
    shutil.copy(ROOT / paths.PLAN, paths.PLAN)
    write_plans(quick_look("mini", "40,41", paths.CONFIGS))
    folder = paths.records_folder(LOOK)
    folder.mkdir(parents=True)
    for path in (ROOT / paths.records_folder("mini")).glob("*.csv"):
        frame = pd.read_csv(path, keep_default_na=False, dtype=str)
        if "seed" in frame and path.stem != "tuning":
            frame["seed"] = frame["seed"].replace(ROOMS)
            frame = frame[frame["seed"].isin([*ROOMS.values(), ""])]
        for column in {"suite", "key"} & set(frame):
            frame[column] = frame[column].str.replace("mini", LOOK)
        frame.to_csv(folder / path.name, index=False)


def test_every_table_and_figure_of_it_is_made(looked_at):
    plan = read_plan()
    for section, write in (("tables", write_table), ("figures", write_figure)):
        names = [entry["name"] for entry in plan[section].values() if entry["suite"] == LOOK]
        assert len(names) >= 4
        for name in names:
            assert all(path.stat().st_size for path in write(LOOK, name)), name
    shown = pd.read_csv(paths.tables_folder(LOOK) / "claims.csv")
    assert set(shown["n"].dropna()) == {2}
