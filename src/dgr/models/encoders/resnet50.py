"""``resnet50``: torchvision's ResNet-50, pooled to one vector an image."""

from typing import ClassVar, Literal

from dgr.models.shared.resnet import ResNetArchitecture

LABEL = "ResNet-50"


class Config(ResNetArchitecture):
    """Fields as those of the other ResNet."""

    depth: ClassVar[Literal[18, 50]] = 50
