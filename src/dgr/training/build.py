"""From a configuration to the objects that train: model, regularizer, method, optimizer, schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, StepLR

from dgr.config.runs import DGRConfig, RegularizerConfig, RunConfig
from dgr.core.seeds import seed_for
from dgr.core.task import Task
from dgr.methods.registry import build_method
from dgr.methods.shared.base import Method
from dgr.models.factory import build_model
from dgr.models.model import MultiTaskModel
from dgr.regularizers.dummy_gradient_norm import DummyGradientNorm
from dgr.regularizers.norm_penalty import FeatureNormPenalty


def build_regularizer(
    config: RegularizerConfig, strength: float | None, model: MultiTaskModel, tasks: Sequence[Task], seed: int
) -> DummyGradientNorm | FeatureNormPenalty | None:
    """The configured penalty with its strength after tuning, or None where nothing is added to the loss."""
    if isinstance(config, DGRConfig):
        assert strength is not None
        return DummyGradientNorm(
            list(model.heads.values()),
            [task.criterion for task in tasks],
            strength,
            seed=seed,
            **config.model_dump(exclude={"name", "strength"}),
        )
    return FeatureNormPenalty(strength or 0.0) if config.name == "norm" else None


def build_run(
    config: RunConfig, strength: float | None, tasks: Sequence[Task], image_shape: Sequence[int], seed: int
) -> tuple[MultiTaskModel, DummyGradientNorm | FeatureNormPenalty | None, Method]:
    """Model, regularizer and method of one run."""
    method = build_method(config.method.name, len(tasks), **config.method.options)
    initialization = seed_for(config.experiment, seed, "initialization")
    model = build_model(config.architecture, tasks, image_shape, method.separate_encoders, initialization)
    if config.regularizer.name == "dropout":
        model.encoder = nn.Sequential(model.encoder, nn.Dropout(strength or 0.0))
    dummies = seed_for(config.experiment, seed, "dummies")
    return model, build_regularizer(config.regularizer, strength, model, tasks, dummies), method


def build_optimizer(
    config: RunConfig, strength: float | None, model: nn.Module, method: Method
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    """The optimizer over the parameters of model and method (never of the dummies), and its schedule by epochs."""
    training = config.training
    decay = strength if config.regularizer.name == "weight_decay" else training.weight_decay
    groups: list[dict[str, Any]] = [
        {"params": list(model.parameters()), "weight_decay": decay},
        # A method's own parameters are log-variances and scales: shrinking them is no regularization.
        *({"params": [parameter], "weight_decay": 0.0} for parameter in method.parameters()),
    ]
    optimizer: torch.optim.Optimizer
    if training.optimizer == "adam":
        optimizer = torch.optim.Adam(groups, training.learning_rate, fused=True)
    else:
        optimizer = torch.optim.SGD(groups, training.learning_rate, momentum=training.momentum, fused=True)
    if training.schedule == "cosine":
        return optimizer, CosineAnnealingLR(optimizer, T_max=training.epochs)
    if training.schedule == "step":
        return optimizer, StepLR(optimizer, step_size=max(1, training.epochs // 3), gamma=0.5)
    return optimizer, ConstantLR(optimizer, factor=1.0)
