"""``answers.npz``: which test samples a run answered rightly, and what these were composed of."""

import json

import numpy as np
import pytest
import torch

from dgr.core.paths import DATA, output_path, trained_folder
from dgr.datasets.prepared import load
from dgr.records.answers import answer_rows, right_answers, source_rows, sources_by_seed
from dgr.training import stages

EW = "mini-multimnist-conv-equal_weighting-none"
NAMES = ("suite", "dataset", "architecture", "method", "regularizer")


def folder(seed):
    return output_path("mini", "train", EW) / f"seed-{seed}"


@pytest.fixture
def trained(project):
    stages.train(EW, "cpu")
    return {seed: np.load(folder(seed) / "answers.npz", allow_pickle=False) for seed in (0, 1)}


def recomputed(seed, task):
    """Whether each test sample is answered rightly, by hand from the stored weights and representations."""
    weights = torch.load(trained_folder("mini", EW) / f"seed-{seed}.pt", weights_only=True)["model"]
    with np.load(trained_folder("mini", EW) / f"seed-{seed}.npz") as arrays:
        z = torch.from_numpy(arrays["test"])
    hidden = (z @ weights[f"heads.{task}.0.weight"].T + weights[f"heads.{task}.0.bias"]).relu()
    logits = hidden @ weights[f"heads.{task}.2.weight"].T + weights[f"heads.{task}.2.bias"]
    return (logits.argmax(dim=1) == load("multimnist", DATA, seed).splits["test"].targets[task]).numpy()


def test_answers_are_those_of_the_stored_model_and_give_its_accuracy(trained):
    for seed, arrays in trained.items():
        metrics = json.loads((folder(seed) / "metrics.json").read_text())
        samples = int(arrays["samples"])
        assert samples == 32
        for task in ("left", "right"):
            assert len(arrays[task]) == samples / 8, "a bit a sample"
            right = np.unpackbits(arrays[task], count=samples).astype(bool)
            assert np.array_equal(right, recomputed(seed, task))
            assert metrics["final"]["test"][task]["accuracy"] == pytest.approx(right.mean(), abs=1e-7)


def test_sources_are_the_digits_of_the_runs_own_seed(trained):
    for seed, arrays in trained.items():
        assert np.array_equal(arrays["sources"], load("multimnist", DATA, seed).splits["test"].sources.numpy())
    assert not np.array_equal(trained[0]["sources"], trained[1]["sources"])


def test_reports_read_what_training_wrote(trained):
    import pandas as pd

    identities = {
        seed: dict(zip(NAMES, ("mini", "multimnist", "conv", "equal_weighting", "none"), strict=True)) | {"seed": seed}
        for seed in trained
    }
    answers = pd.DataFrame(
        [row for seed, identity in identities.items() for row in answer_rows(identity, folder(seed))]
    )
    sources = pd.DataFrame(
        [row for seed, identity in identities.items() for row in source_rows(identity, folder(seed))]
    )
    found, parts = right_answers(answers, "equal_weighting", "none"), sources_by_seed(sources)
    for seed, arrays in trained.items():
        for task in ("left", "right"):
            assert np.array_equal(found[seed][task], recomputed(seed, task))
        assert np.array_equal(parts[seed], arrays["sources"])


def test_the_file_is_the_same_when_a_seed_is_trained_again(trained):
    before = [(folder(seed) / "answers.npz").read_bytes() for seed in (0, 1)]
    for seed in (0, 1):
        (folder(seed) / "manifest.json").unlink()
    stages.train(EW, "cpu")
    assert [(folder(seed) / "answers.npz").read_bytes() for seed in (0, 1)] == before
