"""What it costs to compute the same bits on every processor: the same work with and without the portable kernels.

    python benchmarks/portable_cost.py [--rounds 7]

Run from the repository's top folder. Kernels are chosen when libraries are loaded, so each measurement is a process of
its own; native and portable ones take turns. Prints milliseconds of processor time, and medians over rounds of their
ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from dgr.core.numerics import HARMLESS, KERNELS

REPEATS = 15
RUNS = {"training step, mini": "equal_weighting-none", "the same with DGR": "equal_weighting-dgr"}


def step(run: str) -> Callable[[], object]:
    """A training step of the suite mini's encoder on noise."""
    import torch

    from dgr.config.plan_file import read_plan
    from dgr.datasets.registry import planned_dataset
    from dgr.measurements.cost_steps import Stepper
    from dgr.training.build import build_parts
    from dgr.training.configuration import RunConfig

    plan = read_plan()
    key = f"mini-multimnist-conv-{run}"
    config = RunConfig(**(plan["runs"] | plan["tuned_runs"])[key])
    config = config.resolved(0.1) if config.is_tuned else config
    tasks = planned_dataset("multimnist", plan).tasks
    targets = {task.name: torch.randint(task.classes, (config.training.batch_size,)) for task in tasks}
    batch = torch.rand(config.training.batch_size, 1, 36, 36), targets
    return Stepper(build_parts(config, tasks, (1, 36, 36), seed=0), tasks, iter(lambda: batch, None))


def layer(made: str) -> Callable[[], object]:
    """A layer forward and back."""
    import torch
    from torch import nn

    if made == "convolution":
        module, x = nn.Conv2d(64, 64, 3, padding=1), torch.rand(32, 64, 32, 32)
    else:
        module, x = nn.Linear(512, 512), torch.rand(128, 512)
    return lambda: module(x).sum().backward()


def product() -> Callable[[], object]:
    """Of two large matrices."""
    import torch

    one, other = torch.rand(1024, 1024), torch.rand(1024, 1024)
    return lambda: one @ other


def measure() -> dict[str, float]:
    """Milliseconds of each piece of work in this process."""
    from dgr.core.device import choose_device

    choose_device("cpu")
    work = {name: step(run) for name, run in RUNS.items()}
    work |= {
        "linear 512×512, batch 128": layer("linear"),
        "convolution 64→64, 32×32, batch 32": layer("convolution"),
        "product of 1024×1024": product(),
    }
    found = {}
    for name, call in work.items():
        seconds = []
        for _ in range(REPEATS):
            start = time.process_time()
            call()
            seconds.append(time.process_time() - start)
        found[name] = 1e3 * float(np.median(seconds))
    return found


def main() -> None:
    """Let native and portable processes take turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure()))
        return
    plain = {name: value for name, value in os.environ.items() if name not in KERNELS} | HARMLESS
    found: dict[str, list[dict[str, float]]] = {"native": [], "portable": []}
    for _ in range(options.rounds):
        for kind, environment in (("native", plain), ("portable", plain | KERNELS)):
            done = subprocess.run(
                [sys.executable, __file__, "--child"], env=environment, stdout=subprocess.PIPE, check=True
            )
            found[kind].append(json.loads(done.stdout))
    for name in found["native"][0]:
        native, portable = (np.array([values[name] for values in found[kind]]) for kind in found)
        ratio = np.median(portable / native)
        print(f"{name:36} {np.median(native):8.2f} ms native {np.median(portable):8.2f} ms portable {ratio:6.2f} ×")


if __name__ == "__main__":
    main()
