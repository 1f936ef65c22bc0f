"""What arms with the plain penalty on the norm of z have in common: the penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

if TYPE_CHECKING:
    from torch import Tensor, nn


class NormArm(StrengthRegularizer):
    """β times the mean of ‖z‖², see :class:`dgr.FeatureNormPenalty`; the strength is β."""

    @override
    def penalty(
        self, heads: Sequence[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]], seed: int
    ) -> nn.Module:
        from dgr.regularizers.shared.norm_penalty import FeatureNormPenalty

        return FeatureNormPenalty(self.chosen_strength)
