"""Recorded metrics of real rooms, computed once more by scikit-learn and numpy from predictions that lie in a file."""

import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from made_nyu import save_all
from sklearn.metrics import accuracy_score, jaccard_score
from torch.nn import functional

from dgr.core.paths import SUITES
from dgr.datasets.kinds.nyuv2_png import Config
from dgr.datasets.prepared import load
from dgr.datasets.preparing import prepare_dataset
from dgr.training.configuration import RunConfig
from dgr.training.run import Run
from dgr.training.run_records import write_records

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("DGR_DATA_MIRROR", ROOT.parent / "shared/data")) / "nyuv2_small/nyuv2_small.tar.gz"
ENTRIES = json.loads((ROOT / SUITES / "nyu/plan.json").read_text())["tuned_runs"]


def configured(model):
    """Equal weighting with a model of the suite nyu, two epochs of it."""
    entry = next(
        entry
        for entry in ENTRIES.values()
        if (entry["architecture"]["name"], entry["method"]["name"], entry["regularizer"]["name"])
        == (model, "equal_weighting", "none")
    )
    rate = {"epochs": 2, "batch_size": 4, "learning_rate": 0.003}
    return RunConfig(**entry | {"training": entry["training"] | rate})


@pytest.fixture(params=["made", "real"])
def data(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place, share = tmp_path / "NYUv2", 0.25
    if request.param == "made":
        save_all(place)
    elif not REAL.exists():
        pytest.skip("needs NYUv2 at 72×96; name its folder as DGR_DATA_MIRROR")
    else:
        share = 0.9  # few to train on, many to look at
        with tarfile.open(REAL) as archive:
            archive.extractall(tmp_path, filter="data")
    monkeypatch.setattr("dgr.datasets.preparing._place", lambda config: place)
    size = {"height": 24, "width": 32, "validation_share": share, "seed": 0}
    prepare_dataset("rooms", Config(kind="nyuv2_png", source="nyuv2_small", **size), tmp_path / "data")
    return load("rooms", tmp_path / "data")


def by_others(predictions, targets):
    """Mean IoU and pixel accuracy of scikit-learn, errors of depth in float64; void and unknown depth are left out."""
    known = targets["segmentation"] >= 0
    labels, guesses = targets["segmentation"][known], predictions["segmentation"].argmax(axis=1)[known]
    # Classes that occur nowhere do not count; scikit-learn leaves them out unless it is given a list.
    scores = {
        "mean_iou": jaccard_score(labels, guesses, average="macro"),
        "pixel_accuracy": accuracy_score(labels, guesses),
    }
    truth = targets["depth"].astype(np.float64)
    errors = np.abs(predictions["depth"] - truth)[truth > 0]
    depth = {"absolute_error": errors.mean(), "relative_error": (errors / truth[truth > 0]).mean()}
    return {"segmentation": scores, "depth": depth}


@pytest.mark.parametrize("model", ["split_aspp", "mtan_aspp"])
def test_records_hold_what_others_compute_from_saved_predictions(model, data, tmp_path):
    run = Run(configured(model), 0, data, torch.device("cpu"), tmp_path / "resume.pt")
    run.train()
    (tmp_path / "records").mkdir()
    write_records(run, tmp_path / "records")
    recorded = json.loads((tmp_path / "records/metrics.json").read_text())["final"]
    for split in ("val", "test"):
        images, targets = data.splits[split].batch(slice(None))
        with torch.no_grad():
            outputs = run.model.eval()(images)
        saved = {
            name: functional.interpolate(output, size=images.shape[-2:], mode="bilinear", align_corners=False)
            for name, output in outputs.items()
        }
        np.savez(tmp_path / f"{split}.npz", **{name: output.double().numpy() for name, output in saved.items()})
        with np.load(tmp_path / f"{split}.npz") as predictions:
            values = by_others(predictions, {name: target.numpy() for name, target in targets.items()})
        for task, metrics in values.items():
            for name, value in metrics.items():
                assert recorded[split][task][name] == pytest.approx(value, rel=1e-5), (split, task, name)
