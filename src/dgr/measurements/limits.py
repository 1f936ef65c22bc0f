"""What a job may take on a cluster that wants to be told: minutes and memory of each training, from the estimate."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from dgr.config.plan_file import read_plan
from dgr.datasets.registry import planned_dataset
from dgr.measurements.estimate import Work, step_times, work_of

UNKNOWN_MINUTES = 2880
"""Where no times of a step are known; a training that is cut off goes on from its last epoch."""
UNKNOWN_MEGABYTES = 32000
"""Where the size of the data set is not known yet."""
START = 30
"""Minutes for imports, the first batch, and evaluation of a short training."""
MARGIN = 2.0
"""Evaluation comes on top of the steps, and another node may be slower than the one that was measured."""
PROGRAM = 4000
"""Megabytes of a process that has loaded torch and talks to a GPU."""
SPLIT_TIMES = 6
"""Of the training split, in float32: all splits, as read and as used, with room."""


def minutes(suite: str, stage: str, key: str, entry: Any) -> int:
    """How long a training stage may take, in full tens of minutes.

    Args:
        suite: whose step times count.
        stage: ``train``, ``train_tuned``, ``tune``, ``match`` or ``sweep``.
        key: its key.
        entry: what the plan says of it.
    """
    seconds = step_times(suite).get("seconds_per_step", {})
    items = _items(stage, key, entry)
    if any(item.steps is None or item.kind not in seconds for item in items):
        return UNKNOWN_MINUTES
    taken = sum((item.steps or 0) * float(seconds[item.kind]) for item in items)
    return 10 * math.ceil((START + MARGIN * taken / 60) / 10)


def megabytes(stage: str, key: str, entry: Any, attempt: int = 1) -> int:
    """How much memory a training stage may take, beside the GPU's; each further attempt gets as much again.

    Args:
        stage: as for :func:`minutes`.
        key: its key.
        entry: what the plan says of it.
        attempt: from 1; a cluster ends a job that takes more than it was given.
    """
    sizes = [_size(item) for item in _items(stage, key, entry)]
    known = [PROGRAM + math.ceil(SPLIT_TIMES * size / 1e6) for size in sizes if size is not None]
    return attempt * (max(known) if len(known) == len(sizes) else UNKNOWN_MEGABYTES)


def _items(stage: str, key: str, entry: Any) -> list[Work]:
    return list(work_of(stage, key, entry, _plan()))


def _size(item: Work) -> int | None:
    """Bytes of inputs and targets of the training split, where every target is as large as a picture."""
    if item.steps is None:
        return None
    config = planned_dataset(item.run.dataset, _plan())
    channels, height, width = config.image_shape
    samples = item.steps // (item.trainings * item.run.training.epochs) * item.run.training.batch_size
    return int(samples * (channels + len(config.tasks)) * height * width * 4)


@cache
def _plan() -> Any:
    return read_plan()
