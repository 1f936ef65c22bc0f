"""Recorded metrics of real rooms, computed once more by numpy from predictions that lie in a file."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from dense_by_numpy import by_numpy
from made_nyu import save_all
from real_sources import real
from torch.nn import functional

from dgr.core.paths import SUITES
from dgr.datasets.kinds.nyuv2_png import Config
from dgr.datasets.prepared import load
from dgr.datasets.preparing import prepare_dataset
from dgr.training.configuration import RunConfig
from dgr.training.run import Run
from dgr.training.run_records import write_records

ROOT = Path(__file__).parents[2]
REAL = real("nyuv2_small")
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


@pytest.mark.parametrize("model", ["split_aspp", "mtan_aspp"])
def test_records_hold_what_numpy_computes_from_saved_predictions(model, data, tmp_path):
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
            labels, depth = targets["segmentation"].numpy(), targets["depth"].double().numpy()
            expected = by_numpy(predictions["segmentation"], predictions["depth"], labels, depth)
        found = recorded[split]["segmentation"] | recorded[split]["depth"]
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5), split
