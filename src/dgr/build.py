"""From a configuration to the objects that train: model, regularizer, method, optimizer, schedule."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler

from dgr.config import ArchitectureConfig, DGRConfig, NoRegularizer, RegularizerConfig, RunConfig, TrainingConfig
from dgr.methods.base import Method
from dgr.methods.registry import build_method
from dgr.models.encoders import SeparateEncoders, conv_encoder
from dgr.models.heads import SliceHead, mlp_head
from dgr.models.model import MultiTaskModel
from dgr.norm_penalty import FeatureNormPenalty
from dgr.regularizer import DummyGradientNorm
from dgr.seeds import seed_for
from dgr.task import Task


def build_model(
    config: ArchitectureConfig, tasks: Sequence[Task], image_shape: Sequence[int], separate: bool, seed: int
) -> MultiTaskModel:
    """A freshly initialised model.

    Args:
        config: the architecture.
        tasks: one head is made for each.
        image_shape: ``(channels, height, width)``.
        separate: one encoder a task (single-task learning) instead of a shared one. Each starts as the shared one does.
        seed: seed of the initialisation; the caller's random state is left alone.
    """

    def encoder() -> nn.Module:
        torch.manual_seed(seed)
        return conv_encoder(image_shape[0], image_shape[1], config.channels, config.features)

    with torch.random.fork_rng(devices=[]):
        shared = SeparateEncoders([encoder() for _ in tasks]) if separate else encoder()
        heads: dict[str, nn.Module] = {}
        for index, task in enumerate(tasks):
            head = mlp_head(config.features, config.hidden, task.outputs)
            start = index * config.features
            heads[task.name] = SliceHead(head, start, start + config.features) if separate else head
    return MultiTaskModel(shared, heads)


def build_regularizer(
    config: RegularizerConfig, strength: float | None, model: MultiTaskModel, tasks: Sequence[Task], seed: int
) -> DummyGradientNorm | FeatureNormPenalty | None:
    """The configured regularizer, or None; ``strength`` is λ (or β) after tuning."""
    if isinstance(config, NoRegularizer):
        return None
    assert strength is not None
    if isinstance(config, DGRConfig):
        return DummyGradientNorm(
            list(model.heads.values()),
            [task.loss for task in tasks],
            strength,
            seed=seed,
            **config.model_dump(exclude={"name", "strength"}),
        )
    return FeatureNormPenalty(strength)


def build_run(
    config: RunConfig, strength: float | None, tasks: Sequence[Task], image_shape: Sequence[int], seed: int
) -> tuple[MultiTaskModel, DummyGradientNorm | FeatureNormPenalty | None, Method]:
    """Model, regularizer and method of one run."""
    method = build_method(config.method.name, len(tasks), **config.method.options)
    initialization = seed_for(config.experiment, seed, "initialization")
    model = build_model(config.architecture, tasks, image_shape, method.separate_encoders, initialization)
    dummies = seed_for(config.experiment, seed, "dummies")
    return model, build_regularizer(config.regularizer, strength, model, tasks, dummies), method


def build_optimizer(
    config: TrainingConfig, model: nn.Module, method: Method
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    """The optimizer over the parameters of model and method (never of the dummies), and its schedule by epochs."""
    parameters = [*model.parameters(), *method.parameters()]
    optimizer: torch.optim.Optimizer
    if config.optimizer == "adam":
        optimizer = torch.optim.Adam(parameters, config.learning_rate, weight_decay=config.weight_decay)
    else:
        optimizer = torch.optim.SGD(
            parameters, config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
        )
    if config.schedule == "cosine":
        return optimizer, CosineAnnealingLR(optimizer, T_max=config.epochs)
    return optimizer, ConstantLR(optimizer, factor=1.0)
