"""How long a step waits for its batch: reading mapped images of 32×32 against a training step on them.

    python benchmarks/data_time.py

Prints, for the encoder of the suite faces, processor seconds of both and their ratio, medians over rounds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from dgr.config.plan_file import read_plan
from dgr.core.task import Task
from dgr.datasets.prepared import Split
from dgr.datasets.registry import planned_dataset
from dgr.measurements.cost_steps import Stepper
from dgr.measurements.timing import interleaved_seconds
from dgr.training.build import build_parts
from dgr.training.configuration import RunConfig

SAMPLES = 16_000
ROUNDS = 15
STEPS = 5


def mapped_split(folder: Path, tasks: Sequence[Task]) -> Split:
    """Noise in place of faces, mapped from a file as a prepared data set is."""
    generator = np.random.default_rng(0)
    np.save(folder / "images.npy", generator.integers(0, 256, (SAMPLES, 3, 32, 32), np.uint8))
    targets = {task.name: torch.from_numpy(generator.integers(0, task.classes, SAMPLES)) for task in tasks}
    return Split(torch.from_numpy(np.load(folder / "images.npy", mmap_mode="c")), targets)


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    plan = read_plan()
    tasks = planned_dataset("utkface32_third", plan).tasks
    config = RunConfig(**plan["tuned_runs"]["faces-utkface32_third-conv-equal_weighting-none"]).with_any_setting()
    parts = build_parts(config, tasks, (3, 32, 32), seed=0)
    with tempfile.TemporaryDirectory() as folder:
        split = mapped_split(Path(folder), tasks)

        def batch():
            return split.batch(torch.randint(SAMPLES, (config.training.batch_size,)))

        fixed = batch()
        step = Stepper(parts, tasks, iter(lambda: fixed, None))
        step()
        seconds = np.median(interleaved_seconds([batch, step], ROUNDS, torch.device("cpu"), STEPS), axis=0)
    print(f"batch {1e3 * seconds[0]:.2f} ms, step {1e3 * seconds[1]:.2f} ms, ratio {seconds[0] / seconds[1]:.3f}")


if __name__ == "__main__":
    main()
