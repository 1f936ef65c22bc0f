"""The cost stage: seconds and memory of one training step of every method, without and with DGR."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
import torch

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.config.runs import (
    ControlConfig,
    CostConfig,
    DGRConfig,
    MethodConfig,
    NoRegularizer,
    RegularizerConfig,
    RunConfig,
)
from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.files import write_json
from dgr.core.paths import DATA, output_path
from dgr.core.provenance import device_name
from dgr.core.task import Batch
from dgr.datasets.prepared import PreparedData, load
from dgr.measurements.cost_steps import ReleasedProcedure, Stepper
from dgr.measurements.timing import interleaved_seconds, peak_bytes
from dgr.methods.registry import METHODS
from dgr.training.build import build_optimizer, build_run

REFERENCE = "equal_weighting"
NUM_DUMMIES = (1, 4)
WARM_UP = 3
STRENGTH = 0.1
"""Of every regularizer; the cost does not depend on it."""

Case = tuple[str, str, int]
"""Method; regularizer, ``authors`` for the released procedure; number of dummy sets, 0 without any."""


def measure(key: str, device: str) -> None:
    """Measure every case of a cost stage in one process and write the record.

    Seconds are medians over rounds in which each case takes a few steps, memory is that of one step: see
    :mod:`dgr.measurements.timing`.

    Args:
        key: a key of the plan's costs.
        device: as for :func:`dgr.training.stages.train`.

    Raises:
        DGRError: unknown key, missing data, or no plain equal weighting among the methods.
    """
    config = parse(CostConfig, plan_entry(key, ("costs",)), key)
    place = choose_device(device)
    steppers = make_steppers(config, load(config.dataset, DATA), place)
    rows = measured(steppers, config.rounds, config.steps, place)
    threads = torch.get_num_threads()
    record = {"key": key, "device": device_name(place), "threads": threads, "rows": rows}
    write_json(output_path(config.suite, "cost", f"{key}.json"), record)


def make_steppers(config: CostConfig, data: PreparedData, device: torch.device) -> dict[Case, Stepper]:
    """A stepper for each method alone and with DGR, and for the reference with the norm control and as released.

    Single-task learning stands alone: it has no shared representation.
    """
    steppers = {}
    batches = _batches(config, data, device)
    for method in config.methods:
        cases = [(method.name, "none", 0)]
        if not METHODS[method.name].separate_encoders:
            cases += [(method.name, "dgr", number) for number in NUM_DUMMIES]
        if method.name == REFERENCE:
            cases += [(method.name, "norm", 0), *((method.name, "authors", number) for number in NUM_DUMMIES)]
        for case in cases:
            steppers[case] = make_stepper(config, method, case, data, batches, device)
    return steppers


def make_stepper(
    config: CostConfig, method: MethodConfig, case: Case, data: PreparedData, batches: list[Batch], device: torch.device
) -> Stepper:
    """A fresh model that steps through the batches again and again."""
    _, name, number = case
    regularizer: RegularizerConfig = NoRegularizer(name="none")
    if name == "norm":
        regularizer = ControlConfig(name="norm", strength=STRENGTH)
    elif name == "dgr":
        regularizer = DGRConfig(name="dgr", strength=STRENGTH, num_dummies=number)
    elif name == "authors":
        regularizer = DGRConfig(name="dgr", strength=STRENGTH, num_dummies=number, estimator="finite_difference")
    shared = config.model_dump(include={"suite", "dataset", "architecture", "training"})
    run = RunConfig(**shared, method=method, regularizer=regularizer, seeds=[0])
    strength = None if name == "none" else STRENGTH
    model, penalty, balancer = build_run(run, strength, data.tasks, data.splits["train"].images.shape[1:], seed=0)
    for module in (model, penalty, balancer):
        if module is not None:
            module.to(device)
    optimizer, _ = build_optimizer(run, strength, model, balancer)
    kind = ReleasedProcedure if name == "authors" else Stepper
    return kind(model, penalty, balancer, optimizer, data.tasks, cycle(batches))


def measured(steppers: dict[Case, Stepper], rounds: int, steps: int, device: torch.device) -> list[dict[str, Any]]:
    """Rows of the record: seconds a step, ratio to plain equal weighting, peak memory in 10⁶ bytes.

    Raises:
        DGRError: there is no plain equal weighting to compare with.
    """
    if (REFERENCE, "none", 0) not in steppers:
        raise DGRError(f"Costs are told as multiples of '{REFERENCE}'; add it to the methods.")
    for stepper in steppers.values():
        for _ in range(WARM_UP):
            stepper()
    seconds = np.median(interleaved_seconds(list(steppers.values()), rounds, device, steps), axis=0)
    medians = dict(zip(steppers, seconds.tolist(), strict=True))
    return [
        {
            "method": case[0],
            "regularizer": case[1],
            "num_dummies": case[2],
            "seconds_per_step": medians[case],
            "ratio": medians[case] / medians[REFERENCE, "none", 0],
            "peak_memory_mb": _peak(stepper, device) / 1e6,
        }
        for case, stepper in steppers.items()
    ]


def _peak(stepper: Stepper, device: torch.device) -> int:
    """What stays between steps and the most that a step adds to it; gradients belong to the step."""
    stepper.optimizer.zero_grad()
    return stepper.resting_bytes() + peak_bytes(stepper, device)


def _batches(config: CostConfig, data: PreparedData, device: torch.device) -> list[Batch]:
    """Whole batches of the training split; a split smaller than one is one batch."""
    split, size = data.splits["train"].to(device), config.training.batch_size
    starts = range(0, max(len(split) - size, 0) + 1, size)
    return [split.batch(slice(start, start + size)) for start in starts]
