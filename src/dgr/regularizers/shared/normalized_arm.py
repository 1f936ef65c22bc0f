"""What arms with normalised representations have in common: the encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from dgr.config.regularizers import Regularizer

if TYPE_CHECKING:
    from torch import nn


class NormalizedArm(Regularizer):
    """z ← √width · z/‖z‖ for each sample, in the model."""

    @override
    def encoder(self, encoder: nn.Module) -> nn.Module:
        from dgr.models.shared.wrappers import Normalized

        return Normalized(encoder)
