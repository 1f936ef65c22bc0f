"""Seconds and, on a GPU, memory of a training step of each kind of work in a suite, on made-up data of its shape."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dgr.config.plan_file import Plan, read_plan
from dgr.core.device import choose_device
from dgr.core.files import write_json
from dgr.core.origin import device_name
from dgr.core.paths import RESULTS
from dgr.core.task import Batch, Task
from dgr.datasets.registry import planned_dataset
from dgr.measurements.cost_steps import Stepper
from dgr.measurements.estimate import STEP_TIMES, trainings_of
from dgr.measurements.timing import interleaved_seconds, peak_bytes
from dgr.training.build import build_parts
from dgr.training.configuration import RunConfig
from dgr.training.memory import from_scratch


def time_suite(suite: str, device: str, steps: int, shrink: int) -> None:
    """Time every kind of step of a suite and write ``results/SUITE/step_times.json``, on a GPU with its memory.

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
    kinds = {item.kind: item.run for item in trainings_of(suite, plan)}
    found = {kind: _measured(run, plan, place, steps, shrink) for kind, run in sorted(kinds.items())}
    shrunk = f"Dense images were {shrink} times smaller in height and width, and times multiplied by {shrink**2}."
    record: dict[str, Any] = {
        "device": device_name(place),
        "note": shrunk if shrink > 1 else "",
        "seconds_per_step": {kind: float(f"{seconds:.3g}") for kind, (seconds, _) in found.items()},
    }
    if place.type == "cuda":
        record["gpu_memory_bytes"] = torch.cuda.get_device_properties(place).total_memory
        record["peak_bytes"] = {kind: peak for kind, (_, peak) in found.items()}
    write_json(RESULTS / suite / STEP_TIMES, record)


def _measured(run: RunConfig, plan: Plan, device: torch.device, steps: int, shrink: int) -> tuple[float, int]:
    """Seconds of a step, and on a GPU the most bytes of tensors during one; 0 elsewhere."""
    dataset = planned_dataset(run.dataset, plan)
    tasks, (channels, height, width) = dataset.tasks, dataset.image_shape
    if run.training.augmentation is not None and run.training.augmentation.crop is not None:
        height, width = run.training.augmentation.crop
    factor = 1 if tasks[0].kind in ("classification", "regression") else shrink
    shape = (channels, height // factor, width // factor)
    run = from_scratch(run.with_any_setting())
    parts = build_parts(run, tasks, shape, seed=0).to(device)
    batch = made_up_batch(tasks, shape, run.training.batch_size, device)
    step = Stepper(parts, tasks, iter(lambda: batch, None))
    step()
    seconds = float(interleaved_seconds([step], 1, device, steps).item()) * factor**2
    return seconds, step.resting_bytes() + peak_bytes(step, device) if device.type == "cuda" else 0


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
