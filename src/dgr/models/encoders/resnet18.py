"""``resnet18``: torchvision's ResNet-18, pooled to one vector an image."""

from typing import ClassVar, Literal

from dgr.models.shared.resnet import ResNetArchitecture

LABEL = "ResNet-18"


class Config(ResNetArchitecture):
    """A ResNet-18 with global average pooling, for colour images; heads with one hidden layer."""

    depth: ClassVar[Literal[18, 50]] = 18
