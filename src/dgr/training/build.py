"""From a configuration to the objects that train: model, regularizer, method, optimizer, schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, StepLR

from dgr.core.errors import DGRError
from dgr.core.seeds import seed_for
from dgr.core.task import Task
from dgr.methods.registry import build_method
from dgr.methods.shared.base import Method
from dgr.models.model import MultiTaskModel, build_model
from dgr.regularizers.registry import REGULARIZERS
from dgr.training.configuration import RunConfig


@dataclass(frozen=True)
class Parts:
    """What trains together.

    Attributes:
        model: the model.
        regularizer: what adds a penalty to the loss, ``penalty(z, targets)``; None without one.
        method: the multi-task method.
        optimizer: over the parameters of model and method, never of the regularizer.
        schedule: of the learning rate, by epochs.
        loss_weights: constant weights of the task losses; None without any.
    """

    model: MultiTaskModel
    regularizer: nn.Module | None
    method: Method
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    loss_weights: list[float] | None = None

    def to(self, device: torch.device) -> Self:
        """Move the modules; on a GPU the model in the layout that its convolutions are fastest in.

        Before the first step only: the optimizer has no state yet that would have to follow.
        """
        for module in self.modules():
            module.to(device)
        if device.type == "cuda":
            # Inputs and representations follow the weights' layout.
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    def modules(self) -> list[nn.Module]:
        """Model, regularizer if there is one, method."""
        return [module for module in (self.model, self.regularizer, self.method) if module is not None]

    def stateful(self) -> dict[str, Any]:
        """All that a resumed run has to restore, by name."""
        parts = {name: part for name, part in vars(self).items() if name != "loss_weights"}
        return {name: part for name, part in parts.items() if part is not None}


def build_parts(config: RunConfig, tasks: Sequence[Task], image_shape: Sequence[int], seed: int) -> Parts:
    """All parts of one run, fresh, on the CPU.

    Args:
        config: the run, with a number for the strength of its regularizer.
        tasks: of its data set.
        image_shape: ``(channels, height, width)``.
        seed: of the run.

    Raises:
        DGRError: a method's option is wrong, a file of weights is missing, or the strength is left to tuning.
    """
    method = build_method(config.method.name, len(tasks), **config.method.options)
    initialization = seed_for(config.experiment, seed, "initialization")
    model = build_model(config.architecture, tasks, image_shape, method.separate_encoders, initialization)
    model.encoder = config.regularizer.encoder(model.encoder)
    regularizer = build_penalty(config, model, tasks, seed)
    weights = config.regularizer.loss_weights(len(tasks))
    return Parts(model, regularizer, method, *_optimizer(config, model, method), weights)


def build_penalty(config: RunConfig, model: MultiTaskModel, tasks: Sequence[Task], seed: int) -> nn.Module | None:
    """What a run's regularizer adds to the loss, or None.

    Raises:
        DGRError: the regularizer's file does not say whether it does.
    """
    name, dummies = config.regularizer.name, seed_for(config.experiment, seed, "dummies")
    made = config.regularizer.penalty(list(model.heads.values()), [task.criterion for task in tasks], dummies)
    if (made is not None) != REGULARIZERS.declared(name, "PENALTY"):
        does = "gives none" if made is None else "gives one"
        raise DGRError(f"{REGULARIZERS.file(name)}: PENALTY does not say what penalty() does, which {does}; change it.")
    return made


def _optimizer(config: RunConfig, model: nn.Module, method: Method) -> tuple[torch.optim.Optimizer, LRScheduler]:
    training = config.training
    groups: list[dict[str, Any]] = [
        {"params": list(model.parameters()), "weight_decay": config.regularizer.weight_decay(training.weight_decay)},
        # A method's own parameters are log-variances and scales: shrinking them is no regularization.
        *({"params": [parameter], "weight_decay": 0.0} for parameter in method.parameters()),
    ]
    optimizer: torch.optim.Optimizer
    if training.optimizer == "adam":
        optimizer = torch.optim.Adam(groups, training.chosen_rate, fused=True)
    else:
        optimizer = torch.optim.SGD(groups, training.chosen_rate, momentum=training.momentum, fused=True)
    if training.schedule == "cosine":
        return optimizer, CosineAnnealingLR(optimizer, T_max=training.epochs)
    if training.schedule == "step":
        return optimizer, StepLR(optimizer, step_size=max(1, training.epochs // 3), gamma=0.5)
    return optimizer, ConstantLR(optimizer, factor=1.0)
