"""``dgr_released``: DGR by the estimator of the authors' code, a finite difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import PositiveFloat
from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

if TYPE_CHECKING:
    from torch import Tensor, nn

LABEL = "+ DGR (released)"
ORDER = 2
SYMBOL = "λ"
PENALTY = True
CONTROL = None
COLOUR = "#E69F00"
MARKER = "P"
DASH = (5, 1.5, 1, 1.5)


class Config(StrengthRegularizer):
    """DGR as released: the gradient of the penalty by a finite difference in the dummies' weights."""

    epsilon: PositiveFloat = 1e-4
    """Length ε of the step: 1e-4 in the authors' code for faces."""

    @override
    def penalty(
        self, heads: Sequence[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]], seed: int
    ) -> nn.Module:
        from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm

        return DummyGradientNorm(
            heads, losses, self.chosen_strength, seed=seed, estimator="finite_difference", epsilon=self.epsilon
        )
