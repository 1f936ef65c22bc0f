"""From an architecture's configuration to a freshly initialised model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from dgr.config.architectures import ArchitectureConfig, ConvArchitecture, DenseArchitecture, ResNetArchitecture
from dgr.core.paths import SOURCES
from dgr.core.task import Task
from dgr.models.backbones import Backbone, resnet_backbone, small_backbone
from dgr.models.dense_heads import deeplab_head, small_dense_head
from dgr.models.encoders import Normalized, SeparateEncoders, conv_encoder
from dgr.models.heads import SliceHead, vector_head
from dgr.models.image_encoders import PooledEncoder, Standardize
from dgr.models.model import MultiTaskModel
from dgr.models.mtan import MTANEncoder


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

    def encoder(served: int) -> nn.Module:
        torch.manual_seed(seed)
        return _encoder(config, served, image_shape)

    with torch.random.fork_rng(devices=[]):
        shared = SeparateEncoders([encoder(1) for _ in tasks]) if separate else encoder(len(tasks))
        # With attention a task has a part of z of its own, as with an encoder of its own.
        parted = separate or config.name == "mtan"
        heads: dict[str, nn.Module] = {}
        for index, task in enumerate(tasks):
            head, width = _head(config, task)
            heads[task.name] = SliceHead(head, index * width, (index + 1) * width) if parted else head
    return MultiTaskModel(shared, heads)


def _encoder(config: ArchitectureConfig, tasks: int, image_shape: Sequence[int]) -> nn.Module:
    if isinstance(config, ConvArchitecture):
        made = conv_encoder(image_shape[0], image_shape[1], config.pooling, config.channels, config.width)
        return Normalized(made) if config.normalize else made
    standardize = Standardize(config.mean, config.std)
    if isinstance(config, ResNetArchitecture):
        backbone = resnet_backbone(_depth(config.name), dilated=False, weights=_weights(config))
        return nn.Sequential(standardize, PooledEncoder(backbone))
    backbone = _backbone(config, image_shape[0])
    return nn.Sequential(standardize, MTANEncoder(backbone, tasks) if config.name == "mtan" else backbone)


def _backbone(config: DenseArchitecture, in_channels: int) -> Backbone:
    if config.backbone == "small":
        assert config.channels is not None
        return small_backbone(in_channels, config.channels)
    return resnet_backbone(_depth(config.backbone), dilated=True, weights=None)


def _head(config: ArchitectureConfig, task: Task) -> tuple[nn.Module, int]:
    """A head, and the width of what it reads."""
    if not isinstance(config, DenseArchitecture):
        return vector_head(config, task.outputs), config.width
    if config.channels is not None:
        return small_dense_head(config.channels[-1], task.outputs, config.head_channels), config.channels[-1]
    assert config.rates is not None
    width = 2048 if config.backbone == "resnet50" else 512
    return deeplab_head(width, task.outputs, config.head_channels, config.rates), width


def _depth(name: str) -> Literal[18, 50]:
    return 50 if name == "resnet50" else 18


def _weights(config: ResNetArchitecture) -> Path | None:
    """The ImageNet weights among the sources: the one file of ``sources/RESNET_imagenet`` that holds weights."""
    if not config.pretrained:
        return None
    folder = SOURCES / f"{config.name}_imagenet"
    return next(iter(sorted(folder.glob("*.pth"))), folder / f"{config.name}.pth")
