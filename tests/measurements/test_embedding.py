from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from dgr.core.errors import DGRError
from dgr.core.paths import DATA, PLAN, output_path, trained_folder
from dgr.datasets.prepared import load
from dgr.measurements import embedding
from dgr.measurements.embedding import tsne

KEY = "mini"


@pytest.fixture
def entry(project):
    """The configured embedding, with made-up representations of both runs."""
    entry = yaml.safe_load(PLAN.read_text())["embeddings"][KEY]
    samples = len(load(entry["dataset"], DATA).splits["test"])
    for number, run in enumerate((entry["plain"], entry["regularized"])):
        folder = trained_folder("mini", run)
        folder.mkdir(parents=True)
        z = np.random.default_rng(number).standard_normal((samples, 4)).astype(np.float32)
        np.savez(folder / f"seed-{entry['seed']}.npz", train=z, val=z, test=z)
    return entry


def test_both_runs_are_embedded_at_the_same_samples(entry):
    embedding.embed(KEY)
    frame = pd.read_csv(output_path("mini", "embed", f"{KEY}.csv"))
    assert list(frame) == ["regularizer", "x", "y", "left", "right"]
    plain, regularized = (frame[frame["regularizer"] == name] for name in ("none", "dgr"))
    assert len(plain) == len(regularized) == entry["samples"]
    assert (plain[["left", "right"]].to_numpy() == regularized[["left", "right"]].to_numpy()).all()
    assert np.isfinite(frame[["x", "y"]]).all().all()
    first = output_path("mini", "embed", f"{KEY}.csv").read_bytes()
    embedding.embed(KEY)
    assert output_path("mini", "embed", f"{KEY}.csv").read_bytes() == first


@pytest.mark.parametrize("kinds", [("classification", "regression"), ("regression", "regression")])
def test_points_are_coloured_by_classes_alone(entry, monkeypatch, kinds):
    data = load(entry["dataset"], DATA)
    tasks = tuple(replace(task, kind=kind) for task, kind in zip(data.tasks, kinds, strict=True))
    monkeypatch.setattr(embedding, "load", lambda *_: replace(data, tasks=tasks))
    if "classification" in kinds:
        embedding.embed(KEY)
        assert list(pd.read_csv(output_path("mini", "embed", f"{KEY}.csv"))) == ["regularizer", "x", "y", "left"]
    else:
        with pytest.raises(
            DGRError, match="points are coloured by class, but multimnist has no task of classification"
        ):
            embedding.embed(KEY)


def test_separate_clusters_stay_apart():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 20)
    z = (20 * np.eye(3)[labels] + random.standard_normal((60, 3))).astype(np.float32)
    places = tsne(z, 10, 0)
    centres = np.stack([places[labels == label].mean(axis=0) for label in range(3)])
    nearest = np.linalg.norm(places[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == labels).all()


@pytest.mark.parametrize("change", [{"samples": 1000}, {"perplexity": 50.0}])
def test_too_few_samples_are_refused(entry, edit_plan, change):
    edit_plan("embeddings", KEY, **change)
    with pytest.raises(DGRError, match="more than the perplexity"):
        embedding.embed(KEY)


def test_a_missing_run_is_named(entry):
    (trained_folder("mini", entry["regularized"]) / f"seed-{entry['seed']}.npz").unlink()
    with pytest.raises(DGRError, match=f"python -m dgr train {entry['regularized']}"):
        embedding.embed(KEY)
