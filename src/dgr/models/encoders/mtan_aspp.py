"""``mtan_aspp``: as ``mtan``, with the heads of DeepLabV3 on the small backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import PositiveInt, model_validator
from typing_extensions import override

from dgr.config.architectures import Channels
from dgr.models.shared.dense import DenseArchitecture

if TYPE_CHECKING:
    from torch import nn

LABEL = "mtan, ASPP heads"


class Config(DenseArchitecture):
    """Dense prediction with attention to the small backbone for each task; z holds what each attends to."""

    has_parts: ClassVar[bool] = True
    backbone: Literal["small"] = "small"
    """What computes the maps that heads read."""
    channels: Channels
    """Width of each stage of the backbone, which 4 divides; its maps have a quarter of the image's height and width."""
    rates: list[PositiveInt]
    """Dilation rates of the heads' pyramids, in pixels of the maps."""

    @model_validator(mode="after")
    @override
    def _has_its_own(self) -> Self:
        return self  # both, where the other architectures have either

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        from dgr.models.shared.attention import MTANEncoder
        from dgr.models.shared.image_encoders import Standardize

        backbone = self.make_backbone(image_shape[0])
        return nn.Sequential(Standardize(self.mean, self.std), MTANEncoder(backbone, tasks))
