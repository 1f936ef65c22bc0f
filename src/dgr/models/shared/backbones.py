"""Backbones: from an image to feature maps, stage by stage."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from torch import Tensor, nn

from dgr.core.errors import DGRError, reason
from dgr.core.torch_files import load_tensors
from dgr.core.torchvision_import import load_torchvision


class Backbone(nn.Module):
    """A stem, and stages that each bring the maps to a width and size of their own.

    Args:
        stem: from images ``(batch, channels, height, width)`` to the maps that the first stage reads.
        stages: each a sequence of two or more blocks, of which the first sets the stage's width and size.
        widths: channels after each stage.
    """

    def __init__(self, stem: nn.Module, stages: Sequence[nn.Sequential], widths: Sequence[int]) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.widths = tuple(widths)

    def forward(self, images: Tensor) -> Tensor:
        """The last stage's maps, shape ``(batch, widths[-1], h, w)``."""
        maps: Tensor = self.stem(images)
        for stage in self.stages:
            maps = stage(maps)
        return maps


def normalized_convolution(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A square convolution with padding and without bias, then batch normalisation."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels))


def small_backbone(in_channels: int, channels: Sequence[int]) -> Backbone:
    """A backbone for CPUs: a strided 3×3 convolution, then stages of two 3×3 convolutions, all normalised, with ReLU.

    Stem and second stage halve height and width, so that 64×64 pixels give maps of 16×16; later stages are dilated,
    as those of a dilated ResNet, and see more of the image at the same cost.

    Args:
        in_channels: channels of the image.
        channels: width of each stage; the stem has the first stage's.
    """

    def block(before: int, after: int, stride: int) -> nn.Sequential:
        return nn.Sequential(*normalized_convolution(before, after, kernel=3, stride=stride), nn.ReLU())

    stages = []
    before = channels[0]
    for index, width in enumerate(channels):
        stage = nn.Sequential(block(before, width, stride=1 if index == 0 else 2), block(width, width, stride=1))
        if index >= 2:
            _dilate(stage, 2 ** (index - 1))
        stages.append(stage)
        before = width
    return Backbone(block(in_channels, channels[0], stride=2), stages, channels)


def resnet_backbone(depth: Literal[18, 50], dilated: bool, weights: Path | None = None) -> Backbone:
    """The ResNet of torchvision for colour images, without its pooling and last layer.

    Args:
        depth: 18 (512 channels in the end) or 50 (2048).
        dilated: keep 1/8 of height and width, with dilated convolutions in the last two stages, instead of 1/32.
        weights: a file with the state dict of the whole network, such as ImageNet weights; by default it starts from
            torchvision's random initialisation.

    Raises:
        DGRError: torchvision or the file is missing, or the file does not hold this network's weights.

    Source: He, Zhang, Ren, Sun, CVPR 2016; dilation: Yu, Koltun, Funkhouser, CVPR 2017.
    """
    models = load_torchvision().models
    network = models.resnet18() if depth == 18 else models.resnet50()
    if weights is not None:
        _load(network, weights, f"ResNet-{depth}", f"run `python -m dgr fetch resnet{depth}_imagenet`")
    stages = [network.layer1, network.layer2, network.layer3, network.layer4]
    if dilated:
        _dilate(stages[2], 2)
        _dilate(stages[3], 4)
    narrow = network.fc.in_features // 8
    stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
    return Backbone(stem, stages, [narrow, 2 * narrow, 4 * narrow, 8 * narrow])


def _dilate(stage: nn.Module, rate: int) -> None:
    """Take away a stage's stride of 2 and spread its 3×3 kernels instead, after stages that lost ``rate / 2`` so.

    Every ``rate``-th place in height and width keeps its value; those between are new. For ResNet-50 this is
    torchvision's option ``replace_stride_with_dilation``, which refuses the blocks of ResNet-18.
    """
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            # What the strided convolution reads lies as far apart as the stages before have left it.
            spacing = rate // 2 if module.stride == (2, 2) else rate
            module.stride = (1, 1)
            if module.kernel_size == (3, 3):
                module.dilation = module.padding = (spacing, spacing)


def _load(network: nn.Module, path: Path, name: str, remedy: str) -> None:
    """Fill the network from a file, strictly; nothing in the file is executed."""
    if not path.is_file():
        raise DGRError(f"{path} with the weights of {name} is missing; {remedy}.")
    try:
        state = load_tensors(path)
    except Exception as error:  # a foreign file makes the restricted unpickler fail in a dozen ways
        raise DGRError(f"{path} is truncated or not a file of weights ({reason(error)}); {remedy}.") from error
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        told = textwrap.shorten(str(error), 200, placeholder=" …")
        raise DGRError(f"{path} does not hold the weights of {name} ({told}); {remedy}.") from error
