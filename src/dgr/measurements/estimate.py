"""What a suite will cost before it starts: its trainings, their steps, and hours from measured times of a step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dgr.config.datasets import FetchedDataset
from dgr.config.parsing import parse
from dgr.config.plan_file import Plan, read_plan, tunings
from dgr.config.sources import SourceConfig
from dgr.core.errors import DGRError, nearest
from dgr.core.files import read_json
from dgr.core.gpu_claims import CONTEXT, USABLE
from dgr.core.paths import RESULTS
from dgr.datasets.registry import planned_dataset
from dgr.regularizers.shared.dgr_arm import DGRArm
from dgr.training.configuration import RunConfig, SweepConfig, TuningConfig

STEP_TIMES = "step_times.json"
"""In ``results/SUITE``: the device, a note, seconds a step by kind of work; of a GPU its memory, and peaks by kind."""


COSTS_LIKE = {
    **dict.fromkeys(("dwa", "uncertainty_weighting"), "equal_weighting"),
    **dict.fromkeys(("graddrop", "imtl"), "pcgrad"),
}
"""Whose step takes as long, near enough: one backward pass through the encoder, or one a task."""


class Work(NamedTuple):
    """Trainings of one kind.

    Attributes:
        run: one of them; its seeds do not count.
        trainings: how many.
        steps: of all of them together; None where the size of the data set is not known yet.
    """

    run: RunConfig
    trainings: int
    steps: int | None

    @property
    def kind(self) -> str:
        """What decides the time of a step: ``DATASET/ARCHITECTURE/METHOD/REGULARIZER``, by :data:`COSTS_LIKE`."""
        run = self.run
        method = COSTS_LIKE.get(run.method.name, run.method.name)
        penalty = "dgr" if isinstance(run.regularizer, DGRArm) else "none"
        return f"{run.dataset}/{run.architecture.name}/{method}/{penalty}"


def work(suite: str, plan: Plan) -> Iterator[Work]:
    """Every training of a suite: reported runs, tuning, and sweeps."""
    stages = (
        ("train", plan["runs"]),
        ("train", plan["tuned_runs"]),
        ("tune", tunings(plan)),
        ("sweep", plan["sweeps"]),
    )
    for stage, entries in stages:
        for key, entry in entries.items():
            if (entry["run"] if stage == "tune" else entry)["suite"] == suite:
                yield from work_of(stage, key, entry, plan)


def trainings_of(suite: str, plan: Plan) -> list[Work]:
    """Every training of a suite that has some.

    Raises:
        DGRError: there is no such suite, or it has none.
    """
    if suite not in plan["suites"]:
        told = f"Suite '{suite}' has no plan{nearest(suite, plan['suites'])}"
        raise DGRError(f"{told}{'' if told.endswith('?') else '.'} Where it is new, run `python -m dgr plan` first.")
    if not (items := list(work(suite, plan))):
        raise DGRError(
            f"Suite '{suite}' trains no runs, so that nothing is to be estimated; `dgr list {suite}` says what it does."
        )
    return items


def work_of(stage: str, key: str, entry: Any, plan: Plan) -> Iterator[Work]:
    """Every training of one stage.

    Args:
        stage: ``tune`` and ``match`` choose, ``sweep`` trains every point, any other trains a run.
        key: its key.
        entry: what the plan says of it.
        plan: of its suite.
    """
    for run, trainings in _trainings(stage, key, entry):
        samples = training_samples(run.dataset, plan)
        batches = None if samples is None else math.ceil(samples / run.training.batch_size)
        yield Work(run, trainings, None if batches is None else trainings * run.training.epochs * batches)


def training_samples(dataset: str, plan: Plan) -> int | None:
    """Size of a data set's training split before it is made, or fetched; None where it cannot be known."""
    config = planned_dataset(dataset, plan)
    source = None
    if isinstance(config, FetchedDataset):
        source = parse(SourceConfig, plan["sources"][config.source], config.source)
    return config.training_samples(source)


def describe(suite: str, root: Path = Path()) -> str:
    """The estimate in lines to read: by data set and architecture, and in all.

    Raises:
        DGRError: the plan is missing, the suite has no trainings, or the step times cannot be read.
    """
    plan = read_plan()
    items = trainings_of(suite, plan)
    measured = step_times(suite, root)
    groups: dict[str, list[Work]] = {}
    for item in items:
        groups.setdefault(f"{item.run.dataset}, {item.run.architecture.name}", []).append(item)
    lines = [f"{place}: {_summary(group, measured)}" for place, group in groups.items()]
    lines.append(f"suite '{suite}' in all: {_summary(items, measured)}")
    if measured:
        note = f"{measured['note']} " if measured["note"] else ""
        lines.append(
            f"Times of a step were measured on: {measured['device']}. {note}"
            "Evaluation after each epoch and probes come on top."
        )
        lines += _slots(measured)
    else:
        lines.append(f"No times of a step are known; measure them: python -m dgr estimate {suite} --measure")
    return "\n".join(lines)


def step_times(suite: str, root: Path = Path()) -> dict[str, Any]:
    """What ``estimate --measure`` wrote; nothing where it has not been asked.

    Raises:
        DGRError: it cannot be read.
    """
    path = root / RESULTS / suite / STEP_TIMES
    remedy = f"remove it or run `python -m dgr estimate {suite} --measure`"
    known: dict[str, Any] = read_json(path, remedy) if path.exists() else {}
    return known


def _summary(items: list[Work], measured: dict[str, Any]) -> str:
    """Trainings, steps, and hours of the steps whose time is known, one training at a time."""
    times: dict[str, float] = measured.get("seconds_per_step", {})
    trainings = sum(item.trainings for item in items)
    counted = [(item.kind, item.steps) for item in items if item.steps is not None]
    if len(counted) < len(items):
        return f"{trainings:,} trainings; their steps are not known before the data set is there"
    steps = sum(steps for _, steps in counted)
    text = f"{trainings:,} trainings, {steps:,} steps"
    known = [(times[kind], steps) for kind, steps in counted if kind in times]
    if known:
        hours = sum(seconds * steps for seconds, steps in known) / 3600
        text += f", about {hours:,.0f}" if hours >= 10 else f", about {hours:.1f}"
        text += f" {'GPU ' * _is_of_gpu(measured)}hours of steps"
        if missing := steps - sum(steps for _, steps in known):
            text += f"; how long {missing:,} of them take is not known"
    return text


def _is_of_gpu(measured: dict[str, Any]) -> bool:
    """Whether step times were measured on a GPU, whose memory stands in the record then."""
    return "gpu_memory_bytes" in measured


def _slots(measured: dict[str, Any]) -> Iterator[str]:
    """How many trainings the GPU has memory for at once."""
    if not _is_of_gpu(measured):
        return
    if not measured.get("peak_bytes"):
        yield "How many trainings fit on that GPU beside each other is not known; --measure on a GPU says it."
        return
    kind, largest = max(measured["peak_bytes"].items(), key=lambda item: item[1])
    fit = max(1, int(USABLE * measured["gpu_memory_bytes"] / (largest + CONTEXT)))
    memory, tensors = measured["gpu_memory_bytes"] / 1e9, largest / 1e9
    yield (
        f"Its memory ({memory:.0f} GB) holds {fit} trainings of the largest kind, {kind} ({tensors:.1f} GB of tensors) "
        "beside each other: snakemake --resources gpu_slots=N. Hours are those of one training at a time; side by side "
        "they shrink by what a training alone leaves idle."
    )


def _trainings(stage: str, key: str, entry: Any) -> Iterator[tuple[RunConfig, int]]:
    if stage in ("tune", "match"):
        tuning = parse(TuningConfig, entry, key)
        yield tuning.run, tuning.trainings
    elif stage == "sweep":
        for _, run in parse(SweepConfig, entry, key).points():
            yield run, len(run.seeds)
    else:
        run = parse(RunConfig, entry, key)
        yield run, len(run.seeds)
