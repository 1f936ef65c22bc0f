"""What architectures with the small backbone and pyramids of dilated convolutions as heads have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import PositiveInt, model_validator
from typing_extensions import override

from dgr.config.architectures import Channels
from dgr.models.shared.dense import DenseArchitecture

if TYPE_CHECKING:
    from torch import nn


class PyramidArchitecture(DenseArchitecture):
    """The small backbone, and a pyramid of dilated convolutions a task; what lies between is up to the encoder."""

    backbone: Literal["small"] = "small"
    """What computes the maps that heads read."""
    channels: Channels
    """Width of each stage of the backbone (for attention divisible by 4); maps have a quarter of the image's sides."""
    rates: list[PositiveInt]
    """Dilation of each branch of a head, in pixels of the maps."""

    @model_validator(mode="after")
    @override
    def _has_its_own(self) -> Self:
        return self  # both, where the other architectures have either

    @override
    def head(self, outputs: int) -> nn.Module:
        from dgr.models.shared.dense_heads import Pyramid

        return Pyramid(self.head_width, outputs, self.head_channels, self.rates)
