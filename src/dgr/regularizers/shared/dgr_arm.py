"""What arms with DGR have in common: its settings, and the penalty that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import PositiveFloat, PositiveInt
from typing_extensions import override

from dgr.config.regularizers import StrengthRegularizer

if TYPE_CHECKING:
    from torch import Tensor, nn


class DGRArm(StrengthRegularizer):
    """Fields as in :class:`dgr.DummyGradientNorm`."""

    estimator: Literal["exact", "finite_difference"] = "exact"
    """How the penalty's gradient is computed: by double backward, or as in the authors' code."""
    epsilon: PositiveFloat = 1e-3
    """Length ε of the finite difference's step in the dummies' weights."""
    every: PositiveInt = 1
    """The penalty is computed at the first of this many steps, times their number."""
    num_dummies: PositiveInt = 1
    """Number N of sets of dummy heads, whose penalties are averaged."""
    norm: Literal["squared", "plain"] = "squared"
    """Of the gradient: squared as in the authors' code, or not."""
    per_task: bool = False
    """One norm for each task instead of one over all, then summed."""
    resample: bool = False
    """Draw the dummies anew for each step."""

    @override
    def penalty(
        self, heads: Sequence[nn.Module], losses: Sequence[Callable[[Tensor, Tensor], Tensor]], seed: int
    ) -> nn.Module:
        from dgr.regularizers.shared.dummy_gradient_norm import DummyGradientNorm

        settings = self.model_dump(exclude={"name", "strength"})
        return DummyGradientNorm(heads, losses, self.chosen_strength, seed=seed, **settings)
