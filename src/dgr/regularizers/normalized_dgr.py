"""``normalized_dgr``: DGR on representations of one norm, where shrinking z is no way to a small penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from dgr.regularizers.shared.dgr_arm import DGRArm

if TYPE_CHECKING:
    from torch import nn

LABEL = "z normalised + DGR"
ORDER = 6
SYMBOL = "λ"
PENALTY = True
CONTROL = None
COLOUR = "#AA4499"
MARKER = "X"
DASH = (3, 1, 1, 1)


class Config(DGRArm):
    """DGR, fields as in :class:`dgr.DummyGradientNorm`, with z as of ``normalized``."""

    @override
    def encoder(self, encoder: nn.Module) -> nn.Module:
        from dgr.models.shared.wrappers import Normalized

        return Normalized(encoder)
