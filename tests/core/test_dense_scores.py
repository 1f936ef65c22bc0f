"""Dense metrics of a whole split, from predictions that were saved, against numpy alone in float64."""

import tarfile

import numpy as np
import pytest
import torch
from dense_by_numpy import by_numpy
from made_nyu import save_all
from real_sources import real
from torch import nn

from dgr.core.task import Task
from dgr.datasets.kinds.nyuv2_png import Config
from dgr.datasets.prepared import Split
from dgr.models.model import MultiTaskModel
from dgr.training.evaluation import evaluate

COPY = real("nyuv2_small")
TASKS = (Task("segmentation", "segmentation", 13), Task("depth", "depth"))


class Reader(nn.Module):
    """Part of z: the first 13 maps, or the last."""

    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, z):
        return z[:, self.part]


class Pooled(nn.Module):
    """Predictions at a quarter of the size: fixed mixtures of colours."""

    def __init__(self):
        super().__init__()
        self.mixture = nn.Conv2d(3, 14, 1)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            self.mixture.weight.copy_(torch.randn(self.mixture.weight.shape, generator=generator))
            self.mixture.bias.fill_(1.0)

    def forward(self, images):
        return nn.functional.avg_pool2d(self.mixture(images), 4)


def compared(place, tmp_path, **size):
    config = Config(kind="nyuv2_png", source="nyuv2_small", validation_share=0.25, seed=0, **size)
    arrays = config.compose(place).splits["test"]
    targets = {name: torch.from_numpy(arrays[name]) for name in ("segmentation", "depth")}
    split = Split(torch.from_numpy(arrays["images"]), targets)
    heads = nn.ModuleDict({"segmentation": Reader(slice(0, 13)), "depth": Reader(slice(13, 14))})
    model = MultiTaskModel(Pooled(), heads)
    with torch.no_grad():
        np.save(tmp_path / "z.npy", model.encoder(split.batch(slice(None))[0]).numpy())
    saved = np.load(tmp_path / "z.npy").astype(np.float64)
    depth = arrays["depth"].astype(np.float64)
    expected = by_numpy(saved[:, :13], saved[:, 13:], arrays["segmentation"].astype(int), depth)
    scores = evaluate(model, TASKS, split).scores
    found = scores["segmentation"] | scores["depth"]
    return {name: found[name] for name in expected}, expected


def test_scores_of_made_pictures_are_those_of_numpy(tmp_path):
    found, expected = compared(save_all(tmp_path / "NYUv2"), tmp_path, height=24, width=32)
    assert found == pytest.approx(expected, rel=1e-5)
    assert 0 < found["mean_iou"] < found["pixel_accuracy"] < 1


@pytest.mark.skipif(not COPY.exists(), reason="needs NYUv2 at 72×96; name its folder as DGR_DATA_MIRROR")
def test_scores_of_real_pictures_are_those_of_numpy(tmp_path):
    with tarfile.open(COPY) as archive:
        archive.extractall(tmp_path, filter="data")
    found, expected = compared(tmp_path / "NYUv2", tmp_path, height=72, width=96)
    assert found == pytest.approx(expected, rel=1e-4)
