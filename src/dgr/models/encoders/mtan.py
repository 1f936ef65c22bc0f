"""``mtan``: a shared backbone for dense prediction, and attention to it for each task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from dgr.models.shared.dense import DenseArchitecture

if TYPE_CHECKING:
    from torch import nn

LABEL = "mtan"


class Config(DenseArchitecture):
    """Dense prediction with attention to a shared backbone for each task; z holds what each attends to."""

    has_parts: ClassVar[bool] = True

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        from dgr.models.shared.attention import MTANEncoder
        from dgr.models.shared.image_encoders import Standardize

        backbone = self.make_backbone(image_shape[0])
        return nn.Sequential(Standardize(self.mean, self.std), MTANEncoder(backbone, tasks))
