"""Two tasks of sentences with a narrow shared layer: every way of training them that study W4 compares."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

import torch
from pydantic import PositiveInt, model_validator
from torch import nn

from dgr.config.parsing import Strict
from dgr.core.seeds import generator_for, seed_for
from dgr.models.model import MultiTaskModel
from dgr.real_studies.sentence_tasks import SentenceTask
from dgr.studies.alignment import View
from dgr.studies.alignment_layers import FRONTS

_EXPERIMENT = "sentence_pairs"


class PairTraining(Strict):
    """The model and its training; Adam throughout."""

    width: PositiveInt
    """Width r of the shared ReLU layer."""
    steps: PositiveInt
    """Of every arm in total."""
    joint_steps: PositiveInt
    """Those before layers are put in front and B is frozen."""
    batch_size: PositiveInt
    """Sentences of each task."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.joint_steps >= self.steps:
            raise ValueError(f"joint_steps must be less than steps, {self.steps}, but is {self.joint_steps}")
        return self


class TrainedArms:
    """Models of some tasks on demand: all start alike and see the same batches.

    Args:
        config: the model and its training.
        tasks: one task for learning it alone, two for sharing.
        seed: of initialisation and batches; the same for all.
    """

    def __init__(self, config: PairTraining, tasks: Sequence[SentenceTask], seed: int) -> None:
        self.config, self.tasks, self.seed = config, tasks, seed
        self.inputs = tasks[0].splits["train"].inputs.shape[1]
        self._joint: dict[float, tuple[MultiTaskModel, torch.Generator]] = {}

    def train(self, arm: str, rate: float) -> MultiTaskModel:
        """A model at the end of its training.

        Args:
            arm: a key of ``FRONTS``, whose layers are put in front of the encoder after the joint steps, when it is
                frozen; else everything is trained throughout.
            rate: the learning rate, of both parts.
        """
        if rate not in self._joint:
            order = generator_for(_EXPERIMENT, self.seed, "batch_order")
            model = self._fresh()
            self._steps(model, self.config.joint_steps, rate, order)
            self._joint[rate] = model, order
        begun, order = self._joint[rate]
        model = copy.deepcopy(begun)
        if arm in FRONTS:
            model = FRONTS[arm](model, self.inputs)
        self._steps(model, self.config.steps - self.config.joint_steps, rate, order.clone_state())
        return model

    def _fresh(self) -> MultiTaskModel:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_for(_EXPERIMENT, self.seed, "initialization"))
            encoder = nn.Sequential(nn.Linear(self.inputs, self.config.width), nn.ReLU())
            heads = {each.task.name: nn.Linear(self.config.width, each.task.outputs) for each in self.tasks}
            return MultiTaskModel(encoder, heads)

    def _steps(self, model: MultiTaskModel, steps: int, rate: float, order: torch.Generator) -> None:
        """The sum of the tasks' losses, each on a batch of its own sentences; a fresh optimizer."""
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], rate, fused=True)
        views = [View(model, each.task.name) for each in self.tasks]
        for _ in range(steps):
            optimizer.zero_grad()
            losses = []
            for view, each in zip(views, self.tasks, strict=True):
                inputs, targets = each.splits["train"]
                rows = torch.randperm(len(inputs), generator=order)[: self.config.batch_size]
                losses.append(each.task.loss(view(inputs[rows]), targets[rows]))
            torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()


@torch.no_grad()
def accuracy_of(model: MultiTaskModel, task: SentenceTask, split: str) -> float:
    """Share of right classes on a split."""
    inputs, targets = task.splits[split]  # type: ignore[index]
    return float((model(inputs)[task.task.name].argmax(dim=1) == targets).double().mean())
