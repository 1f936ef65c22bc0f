"""``normalized``: a control of DGR, every representation divided by its norm; no penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from dgr.config.regularizers import Regularizer

if TYPE_CHECKING:
    from torch import nn

LABEL = "z normalised"
ORDER = 5
SYMBOL = None
PENALTY = False
CONTROL = "z ← √width · z/‖z‖ in the model, without any penalty"
COLOUR = "#882255"
MARKER = "s"
DASH = (3, 1)


class Config(Regularizer):
    """Each sample's representation is divided by its norm and multiplied by the square root of its width."""

    @override
    def encoder(self, encoder: nn.Module) -> nn.Module:
        from dgr.models.shared.wrappers import Normalized

        return Normalized(encoder)
