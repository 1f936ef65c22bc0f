"""``resnet50``: torchvision's ResNet-50, pooled to one vector an image."""

from typing import ClassVar, Literal

from dgr.models.shared.resnet import ResNetArchitecture

LABEL = "ResNet-50"


class Config(ResNetArchitecture):
    """A ResNet-50 with global average pooling, for colour images; heads with one hidden layer."""

    depth: ClassVar[Literal[18, 50]] = 50
