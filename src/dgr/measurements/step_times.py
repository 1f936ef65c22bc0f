"""Seconds a training step of each kind of work in a suite, measured on made-up data of the right shape."""

from __future__ import annotations

import torch
from torch import Tensor

from dgr.config.plan_file import Plan, read_plan
from dgr.core.device import choose_device
from dgr.core.errors import DGRError, nearest
from dgr.core.files import write_json
from dgr.core.origin import device_name
from dgr.core.paths import RESULTS
from dgr.core.task import Batch, Task
from dgr.datasets.registry import planned_dataset
from dgr.measurements.cost_steps import Stepper
from dgr.measurements.estimate import STEP_TIMES, work
from dgr.measurements.timing import interleaved_seconds
from dgr.training.build import build_parts
from dgr.training.configuration import RunConfig

ANY_STRENGTH = 1e-3
"""Where it is left to tuning; the time does not depend on it."""


def time_suite(suite: str, device: str, steps: int, shrink: int) -> None:
    """Time every kind of step of a suite and write ``results/SUITE/step_times.json``.

    Args:
        suite: its name.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        steps: timed steps of each kind, after one that is not.
        shrink: by how much height and width of dense images are divided; the time is multiplied by its square, since
            a convolution's work is proportional to the number of pixels.

    Raises:
        DGRError: the suite has no trainings.
    """
    place, plan = choose_device(device), read_plan()
    kinds = {item.kind: item.run for item in work(suite, plan)}
    if not kinds:
        raise DGRError(f"Suite '{suite}' has no trainings{nearest(suite, plan['suites'])}.")
    times = {kind: _seconds(run, plan, place, steps, shrink) for kind, run in sorted(kinds.items())}
    shrunk = f"Dense images were {shrink} times smaller in height and width, and times multiplied by {shrink**2}."
    record = {
        "device": device_name(place),
        "note": shrunk if shrink > 1 else "",
        "seconds_per_step": {kind: float(f"{seconds:.3g}") for kind, seconds in times.items()},
    }
    write_json(RESULTS / suite / STEP_TIMES, record)


def _seconds(run: RunConfig, plan: Plan, device: torch.device, steps: int, shrink: int) -> float:
    dataset = planned_dataset(run.dataset, plan)
    tasks, (channels, height, width) = dataset.tasks, dataset.image_shape
    if run.training.augmentation is not None and run.training.augmentation.crop is not None:
        height, width = run.training.augmentation.crop
    factor = 1 if tasks[0].kind in ("classification", "regression") else shrink
    shape = (channels, height // factor, width // factor)
    run = _from_scratch(run.resolved(ANY_STRENGTH) if run.is_tuned else run)
    parts = build_parts(run, tasks, shape, seed=0).to(device)
    batch = made_up_batch(tasks, shape, run.training.batch_size, device)
    step = Stepper(parts, tasks, iter(lambda: batch, None))
    step()
    return float(interleaved_seconds([step], 1, device, steps).item()) * factor**2


def _from_scratch(run: RunConfig) -> RunConfig:
    """Without pretrained weights, which take no time in a step."""
    architecture = run.architecture
    if not getattr(architecture, "pretrained", False):
        return run
    return run.model_copy(update={"architecture": architecture.model_copy(update={"pretrained": False})})


def made_up_batch(tasks: tuple[Task, ...], shape: tuple[int, int, int], size: int, device: torch.device) -> Batch:
    """A batch of noise whose targets are all valid."""
    generator = torch.Generator().manual_seed(0)

    def target(task: Task) -> Tensor:
        if task.kind == "classification":
            return torch.randint(task.classes, (size,), generator=generator)
        if task.kind == "regression":
            return torch.randn((size, 1), generator=generator)
        if task.kind == "segmentation":
            return torch.randint(task.classes, (size, *shape[1:]), generator=generator).to(torch.int8)
        return torch.rand((size, task.outputs, *shape[1:]), generator=generator) + 0.1

    inputs = torch.rand((size, *shape), generator=generator).to(device)
    return inputs, {task.name: target(task).to(device) for task in tasks}
