"""The stage of a study of fetched data, from its file to the page."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from real_sources import made_pictures

from dgr.core.errors import DGRError
from dgr.core.files import sha256, write_manifest, write_text
from dgr.core.paths import CONFIGS, PLAN, SUITES
from dgr.pages.study_report import write_study_report
from dgr.plan.expand import dump, make_plans
from dgr.real_studies import stage
from dgr.records.records import study_command
from dgr.records.study_records import load_study

KEY = "real_studies-S3"
STUDY = {
    "kind": "real_study", "suite": "real_studies", "name": "S3", "seeds": [0, 1],
    "study": {
        "kind": "flipped_pictures", "source": "made", "pictures": {"train": 40, "val": 20, "test": 20},
        "flips": ["uniform"], "levels": [0.6], "epochs": 1, "batch_size": 20, "held_out_size": 20,
        "learning_rate": {"grid": [0.01, 0.1], "seeds": [9]}, "momentum": 0.9, "methods": [{"name": "slgrad"}],
    },
    "title": "A title.", "paper": "A paper", "seeds_note": "A seed draws.", "level": {"label": "share"},
    "settings": {"uniform": "uniform"},
    "methods": {
        "constant": "constant", "equal_weighting-with_held_out": "a", "equal_weighting-held_out_only": "b",
        "equal_weighting-clean_labels": "c",
    },
    "measures": {
        name: {"label": name, "direction": "higher"}
        for name in ("main_auc", "main_accuracy", "other_accuracy", "detection_auc",
                     *(f"found_at_{rate:g}" for rate in (0.01, 0.05, 0.1, 0.2, 0.5)))
    },
    "figure": ["main_auc"],
}  # fmt: skip
SOURCES = {
    "made": {"title": "made", "kind": "archive", "file": "made.tar.gz", "contents": {}, "instructions": "Make it."}
}


def write_plan():
    plan = make_plans(CONFIGS)[SUITES / "real_studies" / PLAN]
    write_text(SUITES / "real_studies" / PLAN, dump(plan))
    return plan


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (CONFIGS / "real_studies").mkdir(parents=True)
    (CONFIGS / "real_studies/S3.yaml").write_text(yaml.safe_dump(STUDY))
    (CONFIGS / "sources.yaml").write_text(yaml.safe_dump(SOURCES))
    (CONFIGS / "datasets.yaml").write_text("{}")
    write_text(PLAN, dump({"suites": {"mini": {}}, "studies": {}}))
    write_plan()
    made_pictures(Path("sources/made"), 4, 4)
    write_manifest(Path("sources/made"), source="made", tree="0" * 64)
    return tmp_path


def test_rows_of_every_seed_stand_in_the_records_with_the_source_and_the_rates(project):
    stage.run_real_study(KEY)
    study = load_study(KEY)
    assert study.seeds == 2
    record = json.loads(Path("results/real_studies/records/S3.json").read_text())
    assert record["tree"] == "0" * 64
    assert set(record["tuning"]["rates"]) == {
        "slgrad", *(f"equal_weighting-{name}" for name in ("with_held_out", "held_out_only", "clean_labels")),
    }  # fmt: skip
    origin = json.loads(Path("results/real_studies/origins/S3.json").read_text())
    assert origin["result"] == sha256(Path("results/real_studies/records/S3.csv"))
    assert not list(Path("unfinished").glob("*")), "what was kept for a killed call is gone"
    write_study_report("real_studies", "S3")
    assert pd.read_csv("results/real_studies/tables/S3.csv")["method"].nunique() == 5
    assert Path("figures/real_studies/S3.png").stat().st_size > 5_000


def test_a_killed_call_goes_on_where_it_was(project, monkeypatch):
    stage.run_real_study(KEY)
    whole = Path("results/real_studies/records/S3.csv").read_bytes()
    Path("results/real_studies/records/S3.csv").unlink()
    rows, seen = stage.real_rows, []

    def counted(study, seed, rates, place):
        seen.append(seed)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return rows(study, seed, rates, place)

    monkeypatch.setattr(stage, "real_rows", counted)
    with pytest.raises(KeyboardInterrupt):
        stage.run_real_study(KEY)
    assert not Path("results/real_studies/records/S3.csv").exists(), "nothing is half-written"
    stage.run_real_study(KEY)
    assert seen == [0, 1, 1]
    assert Path("results/real_studies/records/S3.csv").read_bytes() == whole


def test_what_is_missing_is_one_sentence_with_the_command(project):
    with pytest.raises(DGRError, match=r"records/S3\.csv is missing; run `python -m dgr real-study real_studies-S3`"):
        load_study(KEY)
    Path("sources/made").rename("elsewhere")
    with pytest.raises(DGRError, match=r"sources/made.*run `python -m dgr fetch made`"):
        stage.run_real_study(KEY)
    assert not Path("results").exists()
    assert not Path("unfinished").exists()


def test_a_bad_picture_leaves_nothing(project):
    Path("sources/made/train/cat/0000.png").write_bytes(b"no")
    with pytest.raises(DGRError, match=r"was edited since it was made; run `python -m dgr fetch made`"):
        stage.run_real_study(KEY)
    Path("sources/made/manifest.json").unlink()
    write_manifest(Path("sources/made"), source="made", tree="0" * 64)  # as if it had been fetched like that
    with pytest.raises(DGRError, match=r"train/cat/0000\.png is not a whole image"):
        stage.run_real_study(KEY)
    assert not Path("results").exists()


def test_the_plan_refuses_an_unknown_source_and_tuning_on_reported_seeds(project):
    study = STUDY | {"study": STUDY["study"] | {"source": "maid"}}
    (CONFIGS / "real_studies/S3.yaml").write_text(yaml.safe_dump(study))
    with pytest.raises(DGRError, match="'maid'; did you mean 'made'"):
        write_plan()
    (CONFIGS / "real_studies/S3.yaml").write_text(yaml.safe_dump(STUDY | {"seeds": [9, 10]}))
    with pytest.raises(DGRError, match="seeds 9 are reported and must not choose learning rates too"):
        write_plan()


def test_commands_name_the_stage_that_runs_a_study(project):
    plan = write_plan()
    assert study_command(plan, KEY) == "real-study real_studies-S3"
    assert study_command(plan, "studies-S1") == "study studies-S1"
    assert plan["studies"] == {}
