"""``resnet18``: torchvision's ResNet-18, pooled to one vector an image."""

from typing import ClassVar, Literal

from dgr.models.shared.resnet import ResNetArchitecture

LABEL = "ResNet-18"


class Config(ResNetArchitecture):
    """Fields as those of the other ResNet."""

    depth: ClassVar[Literal[18, 50]] = 18
