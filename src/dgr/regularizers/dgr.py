"""``dgr``: Dummy Gradient norm Regularization, λ times the squared gradient norm of untrained heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import PositiveFloat, PositiveInt
from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

if TYPE_CHECKING:
    from torch import Tensor, nn

LABEL = "+ DGR"
ORDER = 1
SYMBOL = "λ"
PENALTY = True
CONTROL = None
COLOUR = "#D55E00"
MARKER = "o"
DASH = (5, 1.5)


class Config(StrengthRegularizer):
    """Fields as in :class:`dgr.DummyGradientNorm`."""

    estimator: Literal["exact", "finite_difference"] = "exact"
    epsilon: PositiveFloat = 1e-3
    num_dummies: PositiveInt = 1
    norm: Literal["squared", "plain"] = "squared"
    per_task: bool = False
    resample: bool = False

    @override
    def penalty(
        self, heads: Sequence[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]], seed: int
    ) -> nn.Module:
        from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm

        settings = self.model_dump(exclude={"name", "strength"})
        return DummyGradientNorm(heads, losses, self.chosen_strength, seed=seed, **settings)
