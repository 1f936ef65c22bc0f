"""The stage that says what classifiers reach without an encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.config.runs import SPLITS, BaselineConfig
from dgr.core.files import read_manifest, write_json
from dgr.core.paths import DATA, output_path
from dgr.datasets.seeded import images_of
from dgr.measurements import probing
from dgr.measurements.probed_data import Arrays, load_probed, one_thread

SIDE = 36
"""Longest side of images as classifiers without an encoder see them, in pixels."""


def baselines(key: str) -> None:
    """What classifiers reach without an encoder: the majority class, and raw pixels.

    A data set that is drawn anew for each seed is taken as it is drawn for the first.

    Args:
        key: a key of the plan's baselines.

    Raises:
        DGRError: unknown key, or a data set that is missing or damaged.
    """
    config = parse(BaselineConfig, plan_entry(key, ("baselines",)), key)
    data = load_probed(config.dataset, config.kind)
    folder = DATA / config.dataset
    manifest = read_manifest(folder, f"run `python -m dgr prepare {config.dataset}`")
    images: Arrays = {split: _pixels(images_of(folder, manifest, None, split)) for split in SPLITS}
    train, val, test = (data.samples(images, split) for split in SPLITS)
    few = train.first(config.train_samples, f"Data set {config.dataset}")
    with one_thread():
        choice = probing.choose_settings(few, val)
        rows = [
            {"given": "majority", "task": task, "classifier": "majority", "value": value}
            for task, value in probing.majority_accuracies(few, test)
        ]
        for task, classifier, value in probing.accuracies(few, test, choice):
            rows.append({"given": "pixels", "task": task, "classifier": classifier, "value": value})
    record = {"key": key, "config": config.model_dump(mode="json"), "settings": {"pixels": choice}}
    write_json(output_path(config.suite, "baselines", f"{key}.json"), {**record, "rows": rows})


def _pixels(images: NDArray[Any]) -> NDArray[np.float32]:
    """Intensities in [0, 1] as classifiers see them, averaged over squares where a side is longer than :data:`SIDE`."""
    factor = -(-max(images.shape[-2:]) // SIDE)
    height, width = (side // factor for side in images.shape[-2:])
    cut = images[..., : height * factor, : width * factor]
    squares = cut.reshape(*images.shape[:-2], height, factor, width, factor)
    means: NDArray[np.float32] = squares.mean(axis=(-3, -1), dtype=np.float32) / np.float32(255)
    return means
