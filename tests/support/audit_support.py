"""A small suite's committed files, as a fresh checkout has them, and the audit page made from them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from golden_support import GOLDEN

from dgr.core.paths import suite_folder
from dgr.figures.learning_curves import build
from dgr.figures.shared.files import save_drawing
from dgr.records.origins import ORIGIN_COLUMNS, RESULT
from dgr.records.records import RECORD_COLUMNS, load_records
from dgr.records.scope import open_scope
from dgr.tables.shared import rendering

ROOT = Path(__file__).parents[2]
SUITE = "toy"
KEY = "toy-digits-conv-equal_weighting-dgr"
RUN = f"record-{KEY}"
CLAIM = {
    "id": "C2",
    "title": "Prediction",
    "text": "DGR improves <multi-task> prediction.",
    "about": "paper",
    "paper": "a paper",
    "alpha": 0.05,
    "comparisons": [
        {
            "id": f"C2{letter}",
            "question": question,
            "kind": "paired",
            "measure": "delta_m",
            "direction": "higher",
            "region": 0.5,
            "treatment": {"regularizer": "dgr"},
            "reference": {"regularizer": reference},
            "methods": ["equal_weighting", "pcgrad"],
        }
        for letter, question, reference in (("a", "Against the method alone", "none"), ("b", "Against norm", "norm"))
    ],
}


def make_checkout(root: Path) -> Path:
    """Fill a folder, the working directory, with what the page is made from; gives ``results/SUITE``."""
    results = root / "results" / SUITE
    for file in GOLDEN.iterdir():
        (folder := results / ("tables" if file.name.startswith("T") else "records")).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder)
    (root / "paper_configs").mkdir()
    plan = yaml.safe_load((results / "records/runs.yaml").read_text())
    for stage, names in (("tables", ("T1", "T9", "claims")), ("figures", ("F5", "F9"))):
        plan[stage] = {f"{SUITE}-{name}": {"suite": SUITE, "name": name} for name in names}
    (root / "plan.json").write_text(json.dumps(plan))
    (root / "paper_configs/claims.yaml").write_text(yaml.safe_dump({"claims": [CLAIM]}))
    (root / "docs").mkdir()
    shutil.copy(ROOT / "docs/replication.md", root / "docs")
    for name, columns in RECORD_COLUMNS.items():
        path = results / f"records/{name}.csv"
        if not path.exists():
            path.write_text(",".join(columns) + "\n")
    write_origins(results)
    drawing = build(open_scope("figures", SUITE, "F5", plan, load_records(results / "records")))
    save_drawing(drawing, root / "figures/toy/F5")
    outs = [{"path": f"runs/{SUITE}/train/{KEY}", "hash": "md5", "md5": "abc.dir", "size": 1}]
    stage = {"cmd": "…", "deps": [{"path": "data/digits", "md5": "def.dir"}], "outs": outs}
    write_lock(root, {f"train_tuned@{KEY}": stage})
    return results


def write_origins(results: Path, **changed: Any) -> None:
    """Who made the golden runs."""
    made = {"commit": "0" * 40, "dirty": False, "device": "cpu (made up)", "threads": 1, "wall_seconds": 4.5}
    made |= {"peak_memory_mb": 400.0, "median_epoch_seconds": 1.5, "version_torch": "2.13.0"} | changed
    origins = pd.read_csv(results / "records/provenance.csv")[RESULT].assign(**made).reindex(columns=ORIGIN_COLUMNS)
    (results / "origins").mkdir(exist_ok=True)
    origins.to_csv(results / "origins/runs.csv", index=False)


def write_lock(root: Path, stages: dict[str, Any]) -> None:
    """The suite's ``dvc.lock``."""
    path = root / suite_folder(SUITE) / "dvc.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


def read_lock(root: Path) -> dict[str, Any]:
    """The stages of the suite's ``dvc.lock``."""
    return yaml.safe_load((root / suite_folder(SUITE) / "dvc.lock").read_text())["stages"]


def write_claims(results: Path) -> None:
    """A claims table with one verdict of each of two kinds."""
    verdicts = ["supported", "undecided"]
    data = pd.DataFrame({"claim": "C2", "comparison": ["C2a", "C2b"], "difference": [2.5, 0.1], "verdict": verdicts})
    text = pd.DataFrame({"Claim": ["C2a: Prediction", "C2b: Prediction"], "Ours": ["+2.50", "+0.10"]})
    text["Verdict"] = verdicts
    rendering.write(
        rendering.Table(data, text, [0, 0], "Claims.", ["One note."], [["C2a"], ["C2b"]]),
        results / "tables/claims",
        "tab:claims",
    )
