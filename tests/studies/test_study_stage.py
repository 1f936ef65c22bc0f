"""A study from its file to table, figure, claims and page, on a tiny configuration."""

from __future__ import annotations

import json
from pathlib import Path

import html5lib
import pandas as pd
import pytest
import yaml

from dgr.core.errors import DGRError
from dgr.core.files import sha256, write_text
from dgr.core.paths import CONFIGS, PLAN, SUITES, UNFINISHED
from dgr.pages.audit import write_audit
from dgr.pages.study_report import write_study_report
from dgr.pages.summary import write_summary
from dgr.plan.expand import dump, make_plans
from dgr.records.study_records import load_study
from dgr.studies import registry, stage
from dgr.tables.studies.claims import write_study_claims

KEY = "studies-S1"
STUDY = {
    "kind": "study",
    "suite": "studies",
    "name": "S1",
    "seeds": [0, 1],
    "study": {
        "kind": "noisy_regression",
        "inputs": 10,
        "samples": {"train": 40, "val": 10, "test": 10},
        "scales": [1.0, 1.0],
        "task_variance": 3.5,
        "gain": 1.5,
        "noise": ["constant"],
        "levels": [0.0, 0.5],
        "width": 4,
        "shared_layers": 1,
        "task_layers": 1,
        "epochs": 1,
        "batch_size": 10,
        "held_out_size": 10,
        "learning_rate": 0.01,
        "momentum": 0.0,
        "methods": [{"name": "equal_weighting"}, {"name": "slgrad"}],
    },
    "title": "A tiny study.",
    "paper": "none",
    "seeds_note": "Seeds draw everything.",
    "methods": {
        "equal_weighting-with_held_out": "EW, held-out data too",
        "equal_weighting-held_out_only": "EW, held-out data alone",
        "equal_weighting-clean_only": "EW, right targets alone",
        "constant": "constant",
    },
    "level": {"label": "wrong targets", "percent": True},
    "settings": {"constant": "replaced"},
    "measures": {
        "main_error": {"label": "error", "digits": 3, "direction": "lower"},
        "other_error": {"label": "other error", "digits": 3, "direction": "lower"},
        "detection_auc": {"label": "found", "unit": "%", "scale": 100.0, "direction": "higher"},
        **{
            f"found_at_{rate}": {"label": rate, "direction": "higher"} for rate in ("0.01", "0.05", "0.1", "0.2", "0.5")
        },
    },
    "figure": ["main_error", "detection_auc"],
}
CLAIM = {
    "id": "S1", "title": "Finds", "text": "It finds them.", "about": "paper", "paper": "made up", "alpha": 0.05,
    "comparisons": [{
        "id": "S1a", "question": "found vs chance", "kind": "study", "study": KEY, "measure": "detection_auc",
        "settings": ["constant"], "levels": [0.5], "direction": "higher", "region": 0.02,
        "treatment": "slgrad", "bound": 0.5,
    }],
}  # fmt: skip


def write_plan():
    plan = make_plans(CONFIGS)[SUITES / "studies" / PLAN]
    write_text(SUITES / "studies" / PLAN, dump(plan))
    return plan


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (CONFIGS / "studies").mkdir(parents=True)
    (CONFIGS / "studies/S1.yaml").write_text(yaml.safe_dump(STUDY))
    for name in ("datasets", "sources"):
        (CONFIGS / f"{name}.yaml").write_text("{}")
    (CONFIGS / "claims.yaml").write_text(yaml.safe_dump({"claims": [CLAIM]}))
    write_text(PLAN, dump({"suites": {"mini": {}}}))
    write_plan()
    return tmp_path


def test_from_configuration_to_page(project):
    stage.run_study(KEY)
    assert not list(UNFINISHED.iterdir())
    frame = pd.read_csv("results/studies/records/S1.csv")
    assert set(frame["seed"]) == {0, 1}
    assert json.loads(Path("results/studies/records/S1.json").read_text())["config"]["study"]["epochs"] == 1
    origin = json.loads(Path("results/studies/origins/S1.json").read_text())
    assert origin["result"] == sha256(Path("results/studies/records/S1.csv"))
    assert origin["wall_seconds"] > 0
    write_study_report("studies", "S1")
    table = pd.read_csv("results/studies/tables/S1.csv").set_index(["measure", "setting", "method"])
    errors = frame[(frame["measure"] == "main_error") & (frame["method"] == "slgrad") & (frame["level"] == 0.5)][
        "value"
    ]
    row = table.loc[("main_error", "constant", "slgrad")]
    assert row["mean@0.5"] == pytest.approx(errors.mean())
    assert row["sd@0.5"] == pytest.approx(errors.std())
    text = Path("results/studies/tables/S1.md").read_text()
    assert f"{errors.mean():.3f}\xa0±\xa0{errors.std():.3f}" in text
    assert "n = 2 seeds" in text
    assert Path("figures/studies/S1.png").stat().st_size > 10_000
    write_study_claims("studies")
    claims = pd.read_csv("results/studies/tables/claims.csv").iloc[0]
    found = frame[frame["measure"] == "detection_auc"].groupby("seed")["value"].mean() - 0.5
    assert claims["difference"] == pytest.approx(found.mean())
    assert claims["verdict"] == "undecided"
    assert "n = 2 is too small" in claims["reason"]
    assert json.loads(write_summary("studies").read_text())["claims"] == {"S1a": "undecided"}
    page = write_audit("studies").read_text()
    html5lib.HTMLParser(strict=True).parse(page)
    for shown in ("found vs chance", "A tiny study.", "result", origin["result"], "data:image/svg+xml;base64,"):
        assert shown in page
    assert "http" not in page.replace("http-equiv", "")
    assert write_audit("studies").read_text() == page


def test_a_page_says_which_studies_were_not_run(project):
    page = " ".join(write_audit("studies").read_text().split())
    for missing in ("study studies-S1", "study-report studies S1", "study-claims studies"):
        assert f"make it with <code>python -m dgr {missing}</code>" in page


def test_a_killed_study_goes_on_where_it_was(project, monkeypatch):
    stage.run_study(KEY)
    whole = Path("results/studies/records/S1.csv").read_bytes()
    Path("results/studies/records/S1.csv").unlink()
    seen = []

    def rows(config, seed, rates):
        if len(seen) == 1:
            raise KeyboardInterrupt
        seen.append(seed)
        return registry.rows(config, seed, rates)

    monkeypatch.setattr(stage, "rows", rows)
    with pytest.raises(KeyboardInterrupt):
        stage.run_study(KEY)
    assert not Path("results/studies/records/S1.csv").exists()
    monkeypatch.setattr(
        stage, "rows", lambda config, seed, rates: (seen.append(seed), registry.rows(config, seed, rates))[1]
    )
    stage.run_study(KEY)
    assert seen == [0, 1]
    assert Path("results/studies/records/S1.csv").read_bytes() == whole


def test_what_is_wrong_is_one_sentence(project):
    with pytest.raises(DGRError, match=r"records/S1\.csv is missing; run `python -m dgr study studies-S1`"):
        load_study(KEY)
    stage.run_study(KEY)
    path = Path("results/studies/records/S1.csv")
    good = path.read_text()
    for damaged, message in (
        ("", "S1.csv is not readable CSV"),
        (good.replace("value", "valeu", 1), "must hold the columns"),
        (good + good.splitlines()[-1] + "\n", "does not hold every number of the seeds"),
        ("\n".join(line for line in good.splitlines() if not line.startswith("1,")), "does not hold every number"),
        (
            good.replace("main_error", "main_eror"),
            "the measure 'main_eror', which its file does not describe; did you mean",
        ),
        (good.replace("constant", "konstant"), "the setting 'konstant', which its file does not describe"),
    ):
        path.write_text(damaged)
        with pytest.raises(DGRError, match=message):
            load_study(KEY)


def test_how_a_study_is_told_does_not_repeat_it(project):
    before = write_plan()["studies"]
    (CONFIGS / "studies/S1.yaml").write_text(yaml.safe_dump(STUDY | {"title": "Another title."}))
    plan = write_plan()
    assert plan["studies"] == before
    stage.run_study(KEY)
    study = STUDY | {"study": STUDY["study"] | {"epochs": 2}}
    (CONFIGS / "studies/S1.yaml").write_text(yaml.safe_dump(study))
    write_plan()
    with pytest.raises(DGRError, match="was made with other settings than the plan's"):
        load_study(KEY)
    (CONFIGS / "studies/S1.yaml").write_text(yaml.safe_dump(STUDY | {"title": "Another title."}))
    assert plan["study_reports"][KEY]["title"] == "Another title."


def test_a_wrong_method_is_told_when_planning(project):
    study = STUDY | {"study": STUDY["study"] | {"methods": [{"name": "slgard"}]}}
    (CONFIGS / "studies/S1.yaml").write_text(yaml.safe_dump(study))
    with pytest.raises(DGRError, match="Unknown method 'slgard'; did you mean 'slgrad'"):
        write_plan()
