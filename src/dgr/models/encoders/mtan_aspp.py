"""``mtan_aspp``: as ``mtan``, with the small backbone and pyramids of dilated convolutions as heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from dgr.models.shared.pyramid import PyramidArchitecture

if TYPE_CHECKING:
    from torch import nn

LABEL = "mtan, ASPP heads"


class Config(PyramidArchitecture):
    """Dense prediction with attention to the small backbone for each task; z holds what each attends to."""

    has_parts: ClassVar[bool] = True

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        from dgr.models.shared.attention import MTANEncoder
        from dgr.models.shared.image_encoders import Standardize

        backbone = self.make_backbone(image_shape[0])
        return nn.Sequential(Standardize(self.mean, self.std), MTANEncoder(backbone, tasks))
