"""What another project's arrays go through: probes, universality and paired comparison, by public names alone."""

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import dgr

CLASSES, WIDTH = 3, 5


def representation(count: int, seed: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    z = 3 * np.eye(CLASSES, WIDTH)[labels] + noise * random.standard_normal((count, WIDTH))
    return z.astype(np.float32), labels


def probed(seed: int, noise: float) -> float:
    splits = (representation(60, 10 * seed + part, noise) for part in range(3))
    samples = [dgr.ProbeSamples(z, {"kind": labels}) for z, labels in splits]
    return float(np.mean([accuracy for _, _, accuracy in dgr.transfer_accuracies(*samples)]))


def test_a_clearer_representation_is_found_better_seed_by_seed() -> None:
    clear, vague = (pd.Series({seed: probed(seed, noise) for seed in range(8)}) for noise in (0.5, 4.0))
    planned = dgr.Planned(dgr.paired_differences(clear, vague), region=0.05)
    row = dgr.compare({"clear − vague": planned}, alpha=0.05)["clear − vague"]
    assert row.outcome == "positive"
    assert row.low > 0.2


def test_a_clearer_representation_is_easier_to_fit() -> None:
    def measured(noise: float) -> dgr.Universality:
        parts = (representation(120, part, noise) for part in range(3))
        tensors = [dgr.Represented(torch.from_numpy(z), torch.from_numpy(labels)) for z, labels in parts]
        return dgr.measure_universality(lambda: nn.Linear(WIDTH, CLASSES), cross_entropy, *tensors, draws=4, seed=0)

    clear, vague = measured(0.5), measured(4.0)
    assert clear.refitted_loss < vague.refitted_loss
    assert clear.label_area < vague.label_area
    assert clear.step_area < vague.step_area
