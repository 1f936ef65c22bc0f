"""Noise in the shape of a data set: images and labels for measuring what a step costs, and for nothing else.

How long a training step takes depends on shapes and not on what images show, so that the cost of a model can be told
without the data that it was made for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt
from typing_extensions import override

from dgr.config.datasets import Composed, DatasetConfig, RandomSeed
from dgr.config.runs import SPLITS, SplitName
from dgr.config.sources import SourceConfig
from dgr.core.task import Task


class Config(DatasetConfig):
    """Uniform pixels in colour, and uniform labels of each task."""

    kind: Literal["noise"]
    image_size: PositiveInt
    """Height and width, in pixels."""
    classes: Annotated[dict[str, Annotated[int, Field(ge=2)]], Field(min_length=1)]
    """Of each task, by its name."""
    samples: dict[SplitName, PositiveInt]
    """Of each split."""
    seed: RandomSeed

    @property
    @override
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name, "classification", number) for name, number in self.classes.items())

    @property
    @override
    def image_shape(self) -> tuple[int, int, int]:
        return 3, self.image_size, self.image_size

    @override
    def training_samples(self, source: SourceConfig | None) -> int:
        return self.samples["train"]

    @override
    def compose(self, place: Path = Path()) -> Composed:
        """``images`` ``(samples, 3, size, size)``, uint8, and each task's labels ``(samples,)``, of each split."""
        splits: dict[SplitName, dict[str, NDArray[np.generic]]] = {}
        for split, samples in self.samples.items():
            generator = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(SPLITS.index(split),)))
            images = generator.integers(0, 256, (samples, *self.image_shape), dtype=np.uint8)
            labels = {name: generator.integers(0, number, samples) for name, number in self.classes.items()}
            splits[split] = {"images": images, **labels}
        return Composed(splits)
