"""``norm_matched``: a control of DGR, the plain penalty on ‖z‖² at the strength that gives DGR's own ‖z‖."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

if TYPE_CHECKING:
    from torch import Tensor, nn

LABEL = "+ norm at DGR's ‖z‖"
ORDER = 4
SYMBOL = "β"
PENALTY = True
CONTROL = "the same at the β with which ‖z‖ is that of DGR"
COLOUR = "#56B4E9"
MARKER = "d"
DASH = (1.2, 2.4)


class Config(StrengthRegularizer):
    """The plain penalty on ‖z‖² with its strength matched to another arm's ‖z‖, by the rule ``matched_norm``."""

    @override
    def penalty(
        self, heads: Sequence[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]], seed: int
    ) -> nn.Module:
        from dgr.regularizers.shared.norm_penalty import FeatureNormPenalty

        return FeatureNormPenalty(self.chosen_strength)
