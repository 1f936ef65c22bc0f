"""``norm``: the control that DGR must beat, β times the mean squared norm of the representation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

if TYPE_CHECKING:
    from torch import Tensor, nn

LABEL = "+ norm"
ORDER = 3
SYMBOL = "β"
PENALTY = True
CONTROL = "a plain penalty on the mean of ‖z‖²"
COLOUR = "#0072B2"
MARKER = "D"
DASH = (1.2, 1.2)


class Config(StrengthRegularizer):
    """A plain penalty on the squared norm of z, see :class:`dgr.FeatureNormPenalty`; the strength is β."""

    @override
    def penalty(
        self, heads: Sequence[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]], seed: int
    ) -> nn.Module:
        from dgr.regularizers.shared.norm_penalty import FeatureNormPenalty

        return FeatureNormPenalty(self.chosen_strength)
