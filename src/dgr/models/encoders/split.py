"""``split``: a shared backbone for dense prediction, on which the heads stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from dgr.models.shared.dense import DenseArchitecture

if TYPE_CHECKING:
    from torch import nn

LABEL = "split"


class Config(DenseArchitecture):
    """Dense prediction from a shared backbone, whose last maps are the representation; a head a task."""

    @override
    def encoder(self, tasks: int, image_shape: Sequence[int]) -> nn.Module:
        from torch import nn

        from dgr.models.shared.image_encoders import Standardize

        return nn.Sequential(Standardize(self.mean, self.std), self.make_backbone(image_shape[0]))
