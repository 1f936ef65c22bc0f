"""The schema of architectures: the encoder, and the heads that stand on it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from dgr.config.parsing import Strict

Channels = Annotated[list[PositiveInt], Field(min_length=1)]
Colour = Annotated[list[float], Field(min_length=3, max_length=3)]
PositiveColour = Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)]


class ConvArchitecture(Strict):
    """A small convolutional encoder for CPUs, and heads with one hidden layer."""

    name: Literal["conv"]
    pooling: PositiveInt = 1
    """Side of the squares of pixels that are averaged first."""
    channels: Channels
    width: PositiveInt
    hidden: PositiveInt
    activation: Literal["relu", "gelu"] = "relu"
    """Of the heads' hidden layer; the encoder's is always ReLU."""
    normalize: bool = False
    """Divide each sample's representation by its norm and multiply by the square root of its width."""


class ResNetArchitecture(Strict):
    """A ResNet with global average pooling, and heads with one hidden layer."""

    name: Literal["resnet18", "resnet50"]
    pretrained: bool
    """Start from the ImageNet weights among the sources, instead of from random ones."""
    mean: Colour = [0.0, 0.0, 0.0]
    std: PositiveColour = [1.0, 1.0, 1.0]
    """Of each colour of the inputs in [0, 1], subtracted and divided by."""
    weights: str | None = None
    """Hash of the file of weights; the plan fills it in from the sources, so that other weights are another run."""
    hidden: PositiveInt
    activation: Literal["relu", "gelu"] = "relu"
    relu_logits: bool = False
    """ReLU also on the heads' outputs, as in the authors' code for faces."""

    @property
    def width(self) -> int:
        """Width of the representation."""
        return 2048 if self.name == "resnet50" else 512


class DenseArchitecture(Strict):
    """Dense prediction: a backbone, with attention for each task (``mtan``) or without (``split``); a head a task."""

    name: Literal["split", "mtan"]
    backbone: Literal["small", "resnet18", "resnet50"]
    channels: Channels | None = None
    """Width of each stage of the small backbone."""
    head_channels: PositiveInt = 256
    rates: list[PositiveInt] | None = None
    """Dilation rates of the ResNets' DeepLabV3 heads."""
    mean: Colour = [0.0, 0.0, 0.0]
    std: PositiveColour = [1.0, 1.0, 1.0]

    @model_validator(mode="after")
    def _has_its_own(self) -> Self:
        small = self.backbone == "small"
        if small != (self.channels is not None) or small != (self.rates is None):
            raise ValueError("the backbone 'small' needs channels, and the others need rates of their heads instead")
        return self


ArchitectureConfig = Annotated[ConvArchitecture | ResNetArchitecture | DenseArchitecture, Field(discriminator="name")]
VectorArchitecture = ConvArchitecture | ResNetArchitecture
"""Those whose representation is one vector a sample, which classifiers can be put on."""
