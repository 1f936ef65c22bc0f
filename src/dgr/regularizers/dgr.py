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
    """Dummy Gradient norm Regularization, see :class:`dgr.DummyGradientNorm`; the strength is λ."""

    estimator: Literal["exact", "finite_difference"] = "exact"
    """Of the gradient with respect to z."""
    epsilon: PositiveFloat = 1e-3
    """Length of a finite difference's step, in units of the dummies' parameters."""
    num_dummies: PositiveInt = 1
    """Sets of dummy heads."""
    norm: Literal["squared", "plain"] = "squared"
    """Of the dummies' gradients."""
    per_task: bool = False
    """One norm a task, added, instead of one over all tasks."""
    resample: bool = False
    """Draw new dummies at every step instead of once."""

    @override
    def penalty(
        self, heads: Sequence[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]], seed: int
    ) -> nn.Module:
        from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm

        settings = self.model_dump(exclude={"name", "strength"})
        return DummyGradientNorm(heads, losses, self.chosen_strength, seed=seed, **settings)
