"""``split_aspp``: as ``split``, with the small backbone and pyramids of dilated convolutions as heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from dgr.models.shared.pyramid import PyramidArchitecture

if TYPE_CHECKING:
    from torch import nn

LABEL = "split, ASPP heads"


class Config(PyramidArchitecture):
    """Dense prediction from the small backbone, shared; a pyramid of dilated convolutions a task."""

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        from dgr.models.shared.image_encoders import Standardize

        return nn.Sequential(Standardize(self.mean, self.std), self.make_backbone(image_shape[0]))
