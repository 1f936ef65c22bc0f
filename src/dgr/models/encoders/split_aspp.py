"""``split_aspp``: as ``split``, with the small backbone and pyramids of dilated convolutions as heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

from pydantic import PositiveInt, model_validator
from typing_extensions import override

from dgr.config.architectures import Channels
from dgr.models.shared.dense import DenseArchitecture

if TYPE_CHECKING:
    from torch import Tensor, nn

LABEL = "split, ASPP heads"


class Config(DenseArchitecture):
    """Dense prediction from the small backbone, shared; a pyramid of dilated convolutions a task."""

    backbone: Literal["small"] = "small"
    """What computes the maps that heads read."""
    channels: Channels
    """Width of each stage of the backbone; its maps have a quarter of the image's height and width."""
    rates: list[PositiveInt]
    """Dilation of each branch of a head, in pixels of the maps."""

    @model_validator(mode="after")
    @override
    def _has_its_own(self) -> Self:
        return self  # both, where the other architectures have either

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        from dgr.models.shared.image_encoders import Standardize

        return nn.Sequential(Standardize(self.mean, self.std), self.make_backbone(image_shape[0]))

    @override
    def head(self, outputs: int) -> nn.Module:
        """The sum over rates of a dilated 3×3 convolution, ReLU and a 1×1 convolution.

        So it is in DeepLabV2 (Chen et al., TPAMI 2018, arXiv 1606.00915), with one 1×1 layer less; DeepLabV3 adds
        batch normalisation, dropout and pooling, whose steps take twice as long and need more epochs.
        """
        from torch import nn

        class Pyramid(nn.ModuleList):
            def forward(self, z: Tensor) -> Tensor:
                first, *others = (branch(z) for branch in self)
                for other in others:
                    first = first + other
                result: Tensor = first
                return result

        width, between = self.head_width, self.head_channels
        return Pyramid(
            nn.Sequential(
                nn.Conv2d(width, between, kernel_size=3, padding=rate, dilation=rate),
                nn.ReLU(),
                nn.Conv2d(between, outputs, kernel_size=1),
            )
            for rate in self.rates
        )
