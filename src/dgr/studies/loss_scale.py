"""Study L1: does a method keep its tasks in balance when one task's loss is measured in another unit?

The first task's loss is multiplied by a factor; everything else stays. Two-digit MNIST and ray-cast rooms. Claim
examined: Lee, Son, arXiv 2005.09910 (abstract); the set-up is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor
from typing_extensions import override

from dgr.config.parsing import Strict
from dgr.config.runs import MethodConfig, SplitName
from dgr.core.errors import DGRError
from dgr.core.seeds import seed_for
from dgr.core.task import Task
from dgr.datasets.kinds import multimnist, rooms
from dgr.methods.registry import build_method
from dgr.models.model import MultiTaskModel, build_model
from dgr.models.registry import AnyArchitecture
from dgr.studies.compared import ComparesMethods, row_name
from dgr.studies.row import Row
from dgr.studies.samples import Recipe, Samples, Schedule, samples_of

EVALUATED_AT_ONCE = 512
YARDSTICK = MethodConfig(name="equal_weighting")
"""At factor 1 it is what absolute scores are compared with."""


@dataclass(frozen=True)
class ScaledTask(Task):
    """A task whose loss is multiplied by a factor; its metrics are not.

    Args:
        name, kind, classes: as of :class:`dgr.core.task.Task`.
        factor: greater than 0.
    """

    factor: float = 1.0

    @override
    def loss(self, prediction: Tensor, target: Tensor | None) -> Tensor:
        return self.factor * super().loss(prediction, target)


class ScaledData(Strict):
    """One data set of the study, with the model and the training that suit it."""

    data: Annotated[multimnist.Config | rooms.Config, Field(discriminator="kind")]
    """Which data set, with its settings."""
    architecture: AnyArchitecture
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat


class LossScale(ComparesMethods):
    """Settings of the study; Adam throughout."""

    has_held_out: ClassVar[bool] = False

    kind: Literal["loss_scale"]
    levels: Annotated[list[PositiveFloat], Field(min_length=1)]
    """Factors of the first task's loss."""
    settings: Annotated[dict[str, ScaledData], Field(min_length=1)]
    """By name; each is a block of the table."""


def run(config: LossScale, seed: int) -> Iterator[Row]:
    """Test metrics of each method and factor, as they are and as changes; changes are signed so that higher is better.

    Measures: ``score/TASK``, the primary metric itself. Relative changes (%) against the same method at factor 1:
    ``scaled_task``, ``other_tasks`` (their mean) and ``worst_task``, the lowest of all, which says whether the balance
    holds. A method that is poor at factor 1 has less to lose there; so ``worst_against_ew`` is the lowest relative
    change (%) against equal weighting at factor 1, one yardstick for all methods.
    """
    for setting, block in config.settings.items():
        tasks, splits = _data(block, seed)
        yardstick = _trained(block, YARDSTICK, tasks, splits, 1.0, seed)
        for method in config.methods:
            same = method == YARDSTICK
            reference = yardstick if same else _trained(block, method, tasks, splits, 1.0, seed)
            for level in config.levels:
                found = reference if level == 1 else _trained(block, method, tasks, splits, level, seed)
                measures = {f"score/{name}": value for name, value in found.items()} | _changes(tasks, reference, found)
                measures["worst_against_ew"] = _changes(tasks, yardstick, found)["worst_task"]
                for measure, value in measures.items():
                    yield Row(setting, level, row_name(method), measure, value)


def _changes(tasks: Sequence[Task], reference: dict[str, float], found: dict[str, float]) -> dict[str, float]:
    for task in tasks:
        if reference[task.name] == 0:
            raise DGRError(
                f"loss_scale: '{task.name}' has a {task.primary_metric} of 0 at factor 1, against which no change can "
                "be told; train longer."
            )
    changes = [
        100 * (1 if task.higher_is_better else -1) * (found[task.name] - reference[task.name]) / reference[task.name]
        for task in tasks
    ]
    return {"scaled_task": changes[0], "other_tasks": sum(changes[1:]) / len(changes[1:]), "worst_task": min(changes)}


def _data(block: ScaledData, seed: int) -> tuple[Sequence[Task], dict[SplitName, Samples]]:
    """Made anew for each seed, from its own and the configuration's."""
    config = block.data.model_copy(update={"seed": block.data.seed + seed})
    splits = {name: samples_of(config, arrays) for name, arrays in config.compose().splits.items()}
    return config.tasks, splits


def _trained(
    block: ScaledData,
    chosen: MethodConfig,
    tasks: Sequence[Task],
    splits: dict[SplitName, Samples],
    factor: float,
    seed: int,
) -> dict[str, float]:
    """Primary test metric by task."""
    scaled = [ScaledTask(**asdict(tasks[0]), factor=factor), *tasks[1:]]
    experiment = f"loss_scale/{block.data.kind}"
    initial = seed_for(experiment, seed, "initialization")
    recipe = Recipe(
        experiment,
        seed,
        scaled,
        partial(build_model, block.architecture, tasks, splits["train"].inputs.shape[1:], False, initial),
        partial(torch.optim.Adam, lr=block.learning_rate, fused=True),
        Schedule(block.epochs, block.batch_size),
    )
    method = build_method(chosen.name, len(tasks), **chosen.options)
    return _evaluated(recipe.train(method, splits["train"], None), tasks, splits["test"])


@torch.no_grad()
def _evaluated(model: MultiTaskModel, tasks: Sequence[Task], data: Samples) -> dict[str, float]:
    metrics = {task.name: task.metrics() for task in tasks}
    model.eval()
    for rows in torch.split(torch.arange(len(data)), EVALUATED_AT_ONCE):
        inputs, targets = data.rows(rows)
        for name, prediction in model(inputs).items():
            metrics[name].update(prediction, targets[name])
    return {task.name: metrics[task.name].compute()[task.primary_metric].item() for task in tasks}
