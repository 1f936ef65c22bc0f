"""The cost stage: seconds and memory of one training step of every method, without and with DGR."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import torch

from dgr.config.parsing import parse
from dgr.config.plan_file import plan_entry
from dgr.config.runs import RELEASED, MethodConfig
from dgr.core.device import choose_device
from dgr.core.errors import DGRError
from dgr.core.files import write_json
from dgr.core.origin import device_name
from dgr.core.paths import DATA, output_path
from dgr.core.task import Batch
from dgr.datasets.prepared import PreparedData, load
from dgr.measurements.configuration import CostConfig
from dgr.measurements.cost_case import PLAIN_METHOD, Case
from dgr.measurements.cost_steps import ReleasedProcedure, Stepper
from dgr.measurements.timing import interleaved_seconds, peak_bytes
from dgr.methods.registry import METHODS
from dgr.regularizers.registry import REGULARIZERS
from dgr.training.build import build_parts
from dgr.training.configuration import RunConfig

WARM_UP = 3
STRENGTH = 0.1
"""Of every regularizer; the cost does not depend on it."""


def measure_costs(key: str, device: str) -> None:
    """Measure every case of a cost stage in one process and write the record.

    In every round each case takes a few steps, those of a method one after another, in random order, so that ratios
    within a round compare what was timed within moments. Memory is that of one step: see
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
    """A stepper for each method alone and with DGR; for equal weighting also with controls, and DGR as released.

    Single-task learning stands alone: it has no shared representation.

    Raises:
        DGRError: a control is no penalty.
    """
    steppers = {}
    batches = _batches(config, data, device)
    for name in config.controls:
        REGULARIZERS.check(name)
        if name == "dgr" or not REGULARIZERS.declared(name, "PENALTY"):
            raise DGRError(
                f"Costs are those of penalties beside DGR, but '{name}' is none; leave it out of 'controls'."
            )
    for method in config.methods:
        cases = [Case(method.name, "none")]
        if not METHODS[method.name].separate_encoders:
            cases += [Case(method.name, "dgr", number) for number in config.num_dummies]
        if method.name == PLAIN_METHOD:
            cases += [Case(method.name, name) for name in config.controls]
            cases += [Case(method.name, RELEASED, number) for number in config.num_dummies]
        for case in cases:
            steppers[case] = make_stepper(config, method, case, data, batches, device)
    return steppers


def make_stepper(
    config: CostConfig, method: MethodConfig, case: Case, data: PreparedData, batches: list[Batch], device: torch.device
) -> Stepper:
    """A fresh model that steps through the batches again and again."""
    _, name, number = case
    settings: dict[str, Any] = {"name": name}
    if name == RELEASED:
        settings = {"name": "dgr", "estimator": "finite_difference"}
    if number:
        settings["num_dummies"] = number
    if name != "none":
        settings["strength"] = STRENGTH
    shared = config.model_dump(include={"suite", "dataset", "architecture", "training"})
    run = RunConfig(**shared, method=method, regularizer=settings, seeds=[0])  # type: ignore[arg-type]
    parts = build_parts(run, data.tasks, data.splits["train"].images.shape[1:], seed=0).to(device)
    return (ReleasedProcedure if name == RELEASED else Stepper)(parts, data.tasks, cycle(batches))


def measured(steppers: dict[Case, Stepper], rounds: int, steps: int, device: torch.device) -> list[dict[str, Any]]:
    """Rows of the record: seconds a step in every round, and peak memory in 10⁶ bytes.

    Raises:
        DGRError: there is no plain equal weighting to compare with.
    """
    if Case(PLAIN_METHOD, "none") not in steppers:
        raise DGRError(f"Costs are told as multiples of '{PLAIN_METHOD}'; add it to the methods.")
    for stepper in steppers.values():
        for _ in range(WARM_UP):
            stepper()
    groups = [case.method for case in steppers]
    seconds = interleaved_seconds(list(steppers.values()), rounds, device, steps, groups=groups)
    return [
        {
            "method": case.method,
            "regularizer": case.regularizer,
            "num_dummies": case.dummies,
            "seconds": own.tolist(),
            "peak_memory_mb": _peak(stepper, device) / 1e6,
        }
        for (case, stepper), own in zip(steppers.items(), seconds.T, strict=True)
    ]


def _peak(stepper: Stepper, device: torch.device) -> int:
    """What stays between steps and the most that a step adds to it; gradients belong to the step."""
    stepper.parts.optimizer.zero_grad()
    return stepper.resting_bytes() + peak_bytes(stepper, device)


def _batches(config: CostConfig, data: PreparedData, device: torch.device) -> list[Batch]:
    """Whole batches of the training split; a split smaller than one is one batch."""
    split, size = data.splits["train"].to(device), config.training.batch_size
    starts = range(0, max(len(split) - size, 0) + 1, size)
    return [split.batch(slice(start, start + size)) for start in starts]
