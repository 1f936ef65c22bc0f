"""The settings that architectures for dense prediction have: a backbone, and a head of convolutions a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import PositiveInt, model_validator
from typing_extensions import override

from dgr.config.architectures import Architecture, Channels, Colour, PositiveColour
from dgr.models.shared.resnet import RESNET_WIDTHS

if TYPE_CHECKING:
    from torch import nn

    from dgr.models.shared.backbones import Backbone

DEPTHS: dict[str, Literal[18, 50]] = {"resnet18": 18, "resnet50": 50}


class DenseArchitecture(Architecture):
    """A backbone for colour images and a head a task; what lies between is up to the encoder."""

    backbone: Literal["small", "resnet18", "resnet50"]
    """``small`` is for CPUs."""
    channels: Channels | None = None
    """Width of each stage of the small backbone."""
    head_channels: PositiveInt = 256
    """Width of the heads' hidden convolutions."""
    rates: list[PositiveInt] | None = None
    """Dilation rates of the ResNets' DeepLabV3 heads."""
    mean: Colour = [0.0, 0.0, 0.0]
    """Of each colour of the inputs in [0, 1]; subtracted."""
    std: PositiveColour = [1.0, 1.0, 1.0]
    """Likewise; divided by."""

    @model_validator(mode="after")
    def _has_its_own(self) -> Self:
        small = self.backbone == "small"
        if small != (self.channels is not None) or small != (self.rates is None):
            raise ValueError("the backbone 'small' needs channels, and the others need rates of their heads instead")
        return self

    @property
    @override
    def head_width(self) -> int:
        return RESNET_WIDTHS[DEPTHS[self.backbone]] if self.channels is None else self.channels[-1]

    def make_backbone(self, in_channels: int) -> Backbone:
        """A fresh backbone for images of so many channels; a ResNet's keeps an eighth of their height and width."""
        from dgr.models.shared.backbones import resnet_backbone, small_backbone

        if self.channels is not None:
            return small_backbone(in_channels, self.channels)
        return resnet_backbone(DEPTHS[self.backbone], dilated=True)

    @override
    def head(self, outputs: int) -> nn.Module:
        from dgr.models.shared.dense_heads import deeplab_head, small_dense_head

        if self.rates is None:
            return small_dense_head(self.head_width, outputs, self.head_channels)
        return deeplab_head(self.head_width, outputs, self.head_channels, self.rates)
