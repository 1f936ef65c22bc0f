"""Methods whose task weights follow from the inner products of the tasks' gradients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial

from torch import Tensor
from torchjd.aggregation import GramianWeightedAggregator, Weighting
from torchjd.linalg import PSDMatrix
from typing_extensions import override

from dgr.methods.shared.base import Step
from dgr.methods.shared.gradient_balancing import GradientBalancing


class GramianWeighting(GradientBalancing):
    r"""Gives the encoder :math:`J^\top w`, w found from :math:`G = J J^\top`, the step and the method's own state.

    Args:
        num_tasks: number K of tasks.
    """

    def __init__(self, num_tasks: int) -> None:
        weighting = _OfStep()
        super().__init__(num_tasks, GramianWeightedAggregator(weighting))
        self._of_step = weighting

    @abstractmethod
    def weigh(self, step: Step, gramian: Tensor) -> Tensor:
        """Task weights w, shape ``(K,)``, from the inner products of the tasks' gradients, ``(K, K)`` in float64."""

    @override
    def fill(self, step: Step) -> Tensor:
        self._of_step.weigh = partial(self.weigh, step)
        try:
            return super().fill(step)
        finally:
            self._of_step.weigh = None


class _OfStep(Weighting[PSDMatrix]):
    """Asks the method, which knows the step."""

    weigh: Callable[[Tensor], Tensor] | None = None

    @override
    def forward(self, gramian: PSDMatrix, /) -> Tensor:
        assert self.weigh is not None
        return self.weigh(gramian.double()).to(gramian.dtype)
