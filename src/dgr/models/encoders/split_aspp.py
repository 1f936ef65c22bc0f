"""``split_aspp``: as ``split``, with the heads of DeepLabV3 on the small backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

from pydantic import PositiveInt, model_validator
from typing_extensions import override

from dgr.config.architectures import Channels
from dgr.models.shared.dense import DenseArchitecture

if TYPE_CHECKING:
    from torch import nn

LABEL = "split, ASPP heads"


class Config(DenseArchitecture):
    """Dense prediction from the small backbone, shared; a DeepLabV3 head (atrous spatial pyramid pooling) a task."""

    backbone: Literal["small"] = "small"
    """What computes the maps that heads read."""
    channels: Channels
    """Width of each stage of the backbone; its maps have a quarter of the image's height and width."""
    rates: list[PositiveInt]
    """Dilation rates of the heads' pyramids, in pixels of the maps."""

    @model_validator(mode="after")
    @override
    def _has_its_own(self) -> Self:
        return self  # both, where the other architectures have either

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        from dgr.models.shared.image_encoders import Standardize

        return nn.Sequential(Standardize(self.mean, self.std), self.make_backbone(image_shape[0]))
